// Agents: found, registered, owned. Each journey with JavaScript and without.
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures.ts";
import { PHONE, axe, fits } from "../look.ts";

const alive = (page: Page) => expect(page.locator("html")).toHaveAttribute("data-islands", "alive");

/** Registers an agent by the form and answers its reference. */
async function register(page: Page, name: string, more: Record<string, string> = {}): Promise<string> {
  await page.goto("/agents/new");
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByRole("radio", { name: "Runs", exact: true }).check();
  for (const [label, value] of Object.entries(more)) await page.getByLabel(label).selectOption(value);
  await page.locator(".actions").getByRole("button", { name: "Register" }).click();
  await expect(page.getByRole("status").first()).toContainText("is registered");
  return new URL(page.url()).pathname.split("/").pop() ?? "";
}

test("from the loud number to an owner who accepts", async ({ page, signIn, muster, browser, js }) => {
  await signIn("security-lead");
  await page.goto("/");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Who can stop it?");
  await page.getByRole("link", { name: /have no runtime owner/ }).click();
  await expect(page).toHaveURL(/runs=yes&runtime_owner=none/);
  await expect(page.getByRole("list", { name: "Filters in force" })).toContainText("Who can stop it: Nobody");

  const row = page.locator("tbody tr").first();
  const agent = await row.locator("th a").innerText();
  await row.getByRole("link", { name: /^Assign/ }).click();
  await expect(page.getByLabel("Duty")).toHaveValue("containment");

  // A name that fits nobody comes back with all that was typed.
  await page.getByLabel("Person or team").fill("Nobody Atall");
  await page.getByLabel("Reason").fill("You run the platform it runs on.");
  await page.getByRole("button", { name: "Assign", exact: true }).last().click();
  await expect(page.getByRole("alert")).toContainText("Nobody and no team is called");
  await expect(page.getByLabel("Reason")).toHaveValue("You run the platform it runs on.");

  const member = muster.account("member");
  await page.getByLabel("Person or team").fill(member.email);
  await page.getByRole("button", { name: "Assign", exact: true }).last().click();
  await expect(page.getByRole("status").first()).toContainText("is asked to be runtime owner");
  await expect(page.locator(".sentence")).toContainText("nobody can stop it (offered to");

  const theirs = await browser.newContext({ baseURL: muster.url, javaScriptEnabled: js });
  const they = await theirs.newPage();
  await signIn(member, they);
  await they.goto("/");
  const waits = they.getByRole("region", { name: "Waits for you" });
  await expect(waits).toContainText(agent);
  await expect(waits).toContainText("You run the platform it runs on.");
  const boxes = waits.getByRole("checkbox");
  for (let at = 0; at < (await boxes.count()); at++) await boxes.nth(at).check();
  await waits.getByRole("button", { name: /^Accept/ }).click();
  await expect(they.getByRole("status").first()).toContainText("Accepted");
  await theirs.close();

  await page.reload();
  await expect(page.locator(".sentence")).toContainText("but no way to do so is recorded");
  await page.getByText("Record how to stop it…").click();
  await page.getByRole("textbox", { name: "How it is stopped" }).fill("1. Scale it to zero.\n2. See that no request arrives.");
  await page.getByRole("button", { name: "Record", exact: true }).click();
  await expect(page.locator(".procedure")).toContainText("Written procedure, version 1");
  await expect(page.locator(".sentence")).toContainText("but has not shown it");
});

test("an offer is declined with a reason, or stays", async ({ page, signIn, muster, browser, js }) => {
  await signIn("security-lead");
  const id = await register(page, `Declined ${js}`);
  const member = muster.account("member");
  await page.goto(`/agents/${id}/assign?duty=policy`);
  await page.getByLabel("Person or team").fill(member.email);
  await page.getByRole("button", { name: "Assign", exact: true }).last().click();

  const theirs = await browser.newContext({ baseURL: muster.url, javaScriptEnabled: js });
  const they = await theirs.newPage();
  await signIn(member, they);
  await they.goto(`/agents/${id}`);
  const offers = they.getByRole("region", { name: /^Offered/ });
  await offers.getByText("Decline…").click();
  await offers.getByRole("button", { name: "Decline", exact: true }).click();
  await expect(offers).toContainText("Say why you decline");
  await offers.getByLabel("Why").fill("I left that team.");
  await offers.getByRole("button", { name: "Decline", exact: true }).click();
  await expect(they.getByRole("status").first()).toContainText("Declined");
  await theirs.close();
});

test("registering keeps what was typed until it is right", async ({ page, signIn, js }) => {
  await signIn("security-lead");
  await page.goto("/agents/new");
  await page.getByLabel("Purpose").fill("Pays \"small\" invoices\n<and> nothing else.");
  await page.getByLabel("Tool, row 1").fill("Ledger API");
  await page.getByLabel("Access, row 1").selectOption("write");
  await page.getByLabel("Credential, row 1").fill("ledger key");
  await page.getByLabel("Lifetime, row 1").fill("soon");
  await page.locator("#tools").getByRole("button", { name: "More rows" }).click();
  await expect(page.getByLabel("Tool, row 6")).toBeVisible();
  await expect(page.getByLabel("Tool, row 1")).toHaveValue("Ledger API");

  await page.locator(".actions").getByRole("button", { name: "Register" }).click();
  await expect(page.getByRole("alert")).toContainText("2 things need correcting");
  await expect(page.getByLabel("Purpose")).toHaveValue("Pays \"small\" invoices\n<and> nothing else.");
  await expect(page.getByLabel("Lifetime, row 1")).toHaveAttribute("aria-invalid", "true");
  await page.getByRole("alert").getByRole("link", { name: "Enter a name." }).click();
  await expect(page.getByLabel("Name", { exact: true })).toBeFocused();
  if (js) {
    await alive(page);
    await axe(page);
    await fits(page);
    await page.setViewportSize({ width: 1440, height: 900 });
  }

  const name = `وكيل الفواتير 🤖 ${js}`;
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Lifetime, row 1").fill("8h");
  await page.locator(".actions").getByRole("button", { name: "Register" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(name);
  await expect(page.locator(".sentence")).toContainText("Nobody answers for it, nobody can stop it");
  await expect(page.locator("#credentials")).toContainText("8h");
});

test("the tier is worked out while one types, or when one asks", async ({ page, signIn, js }) => {
  await signIn("security-lead");
  await page.goto("/agents/new");
  if (js) await alive(page);
  const tier = page.locator(".tier-preview");
  await expect(tier).toContainText("4 points");
  await page.getByLabel("Autonomy").selectOption("acts-alone");
  await page.getByLabel("Who meets it").selectOption("public");
  await page.getByLabel("Highest class of data").selectOption("restricted");
  await page.getByLabel("Regulated").check();
  const button = tier.getByRole("button", { name: "Work out the tier" });
  if (js) {
    await expect(button).toBeHidden();
  } else {
    await expect(tier).toContainText("4 points");
    await button.click();
    await expect(page.getByLabel("Autonomy")).toHaveValue("acts-alone");
  }
  await expect(tier).toContainText("16 points");
  await expect(tier).toContainText("Critical");
  await expect(tier).toContainText("Autonomy: Acts alone");
});

test("many agents get an owner at once", async ({ page, signIn, js }) => {
  await signIn("security-lead");
  const word = js ? "Bulkjs" : "Bulknojs";
  for (const n of [1, 2, 3]) await register(page, `${word} ${n}`);
  await page.goto(`/agents?q=${word}`);
  const boxes = page.locator("tbody").getByRole("checkbox");
  await expect(boxes).toHaveCount(3);
  if (js) {
    await alive(page);
    await boxes.nth(0).click();
    await boxes.nth(2).click({ modifiers: ["Shift"] });
    await expect(boxes.nth(1)).toBeChecked();
    await expect(page.locator(".picked")).toHaveText("3 picked");
    const all = page.getByRole("checkbox", { name: "Pick all on this page" });
    await expect(all).toBeChecked();
    await all.click();
    await expect(page.locator(".picked")).toHaveText("");
    await all.click();
    await expect(boxes.nth(1)).toBeChecked();
  } else {
    for (const n of [0, 1, 2]) await boxes.nth(n).check();
  }
  await page.getByRole("button", { name: "Assign…" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Assign a duty of 3 agents");
  await page.getByLabel("Duty").selectOption("containment");
  await page.getByLabel("Person or team").fill("Agent platform");
  await page.getByLabel("Record that they hold it already").check();
  await page.getByRole("button", { name: "Preview" }).last().click();
  await expect(page.getByRole("alert")).toContainText("how you know");
  await page.getByLabel("Reason").fill("They run the platform.");
  await page.getByRole("button", { name: "Preview" }).last().click();
  await expect(page.locator("main")).toContainText("Agent platform becomes runtime owner of 3 agents at once.");
  if (js) await axe(page);
  await page.getByRole("button", { name: "Yes, record it for 3 agents" }).click();
  await expect(page.getByRole("status").first()).toContainText("Agent platform is runtime owner of 3 agents.");
  await page.goto(`/agents?q=${word}&runtime_owner=unable`);
  await expect(page.locator("tbody tr")).toHaveCount(3);
});

test("two who edit at once both keep their text", async ({ page, signIn, context, js }) => {
  await signIn("security-lead");
  const id = await register(page, `Contested ${js}`);
  const other = await context.newPage();
  await page.goto(`/agents/${id}/edit`);
  await other.goto(`/agents/${id}/edit`);
  await other.getByLabel("Business unit").fill("Treasury");
  await other.locator(".actions").getByRole("button", { name: "Save" }).click();
  await expect(other.getByRole("status").first()).toContainText("is changed");
  await page.getByLabel("Business unit").fill("Accounting");
  await page.getByLabel("Purpose").fill("What I wrote.");
  await page.locator(".actions").getByRole("button", { name: "Save" }).click();
  await expect(page.locator("main")).toContainText("Somebody else changed it first");
  await expect(page.getByRole("row", { name: /Business unit/ })).toContainText("Treasury");
  await expect(page.getByLabel("Purpose")).toHaveValue("What I wrote.");
  await page.locator(".actions").getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").first()).toContainText("is changed");
  await page.getByRole("link", { name: "History" }).click();
  await expect(page.locator("#changes")).toContainText("Agent changed");
});

test("a list keeps its state in the address", async ({ page, signIn, js }) => {
  await signIn("auditor");
  await page.goto("/agents");
  if (js) await alive(page);
  await expect(page.getByRole("button", { name: "Assign…" })).toHaveCount(0);
  await page.locator("summary", { hasText: "Filter" }).click();
  await page.locator("#filter-tier").selectOption("critical");
  await page.locator(".drawer").getByRole("button", { name: "Show" }).first().click();
  await expect(page).toHaveURL(/tier=critical/);
  await page.getByRole("link", { name: "Tier", exact: true }).click();
  await expect(page).toHaveURL(/tier=critical&sort=tier/);
  await page.locator("summary", { hasText: "Columns" }).click();
  await page.locator("#column-environment").check();
  await page.locator(".drawer").getByRole("button", { name: "Show" }).last().click();
  await expect(page.getByRole("columnheader", { name: "Environment" })).toBeVisible();
  await expect(page).toHaveURL(/tier=critical/);
  await page.getByRole("link", { name: /Remove Tier: Critical/ }).click();
  await expect(page).not.toHaveURL(/tier=critical/);
  const next = page.getByRole("link", { name: "Next" });
  await next.click();
  await page.getByRole("link", { name: "Previous" }).click();
  await expect(page.getByRole("link", { name: "Next" })).toBeVisible();
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Export" }).click()]);
  expect(file.suggestedFilename()).toMatch(/^muster-agents-.*\.csv$/);
});

test("a few letters lead anywhere", async ({ page, signIn, js }) => {
  test.skip(!js, "without JavaScript there is the navigation and the search");
  await signIn("security-lead");
  await page.goto("/agents/AG-2");
  await alive(page);
  const palette = page.getByRole("dialog");
  await page.keyboard.press("Control+k");
  const field = palette.getByRole("combobox");
  await expect(field).toBeFocused();
  await field.fill("care tri");
  await expect(palette.getByRole("option", { name: /Care triage/ })).toBeVisible();
  await expect(palette.getByRole("status")).toHaveText("1 found.");
  await axe(page);
  await field.fill("a");
  await expect(palette.getByRole("option").nth(3)).toBeVisible();
  const first = await field.getAttribute("aria-activedescendant");
  await page.keyboard.press("ArrowDown");
  await expect(field).not.toHaveAttribute("aria-activedescendant", first ?? "");
  await expect(palette.locator("[aria-selected=true]")).toHaveCount(1);
  await page.keyboard.press("ArrowUp");
  await expect(field).toHaveAttribute("aria-activedescendant", first ?? "");
  await page.keyboard.press("Escape");
  await expect(palette).toBeHidden();
  await page.getByRole("button", { name: "Go to" }).click();
  await field.fill("PE-4");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/people\/PE-4$/);
});

test.describe("under a thumb", () => {
  test.use({ hasTouch: true, viewport: PHONE });

  test("a row is picked, and the bar comes", async ({ page, signIn }) => {
    await signIn("security-lead");
    await page.goto("/agents");
    const row = page.locator("tbody tr").first();
    await row.getByRole("checkbox").tap();
    await expect(row.getByRole("checkbox")).toBeChecked();
    const bar = page.getByRole("group", { name: "With the picked rows" });
    await expect(bar).toBeVisible();
    await bar.getByRole("button", { name: /^Assign/ }).first().tap();
    await expect(page).toHaveURL(/\/agents\/assign/);
  });

  test("the button of the filters is in sight", async ({ page, signIn }) => {
    await signIn("security-lead");
    await page.goto("/agents");
    await page.getByText("Filter", { exact: true }).tap();
    await expect(page.getByRole("button", { name: "Show" }).first()).toBeInViewport({ ratio: 1 });
  });
});

test("the inventory scrolls in its frame, never with the page", async ({ page, signIn, js }) => {
  test.skip(!js, "the width is the same without JavaScript");
  await signIn("security-lead");
  await page.goto("/agents");
  const keys = await page.locator(".drop.end input[type=checkbox]").evaluateAll((all) => all.map((box) => (box as HTMLInputElement).value));
  for (const path of ["/agents", `/agents?${keys.map((key) => `columns=${key}`).join("&")}`]) {
    await page.goto(path);
    for (const width of [390, 640, 800, 960, 1024, 1140, 1200, 1280, 1440]) await fits(page, { width, height: 900 });
  }
});
