// An exception is asked from a finding, decided by those whose part it is, in force, and ended; the
// finding stops counting and counts again. A refusal keeps what was typed.
import type { Browser, Page } from "@playwright/test";
import { expect, test } from "../fixtures.ts";
import { axe, fits } from "../look.ts";
import type { Account, Muster } from "../muster.ts";

/** Calls the API as whoever is signed in on the page. */
async function call(page: Page, url: string, data: object, method = "post"): Promise<Record<string, unknown>> {
  const answer = await page.request.fetch(url, { method, data });
  const told = await answer.text();
  expect(answer.status(), `${url}: ${told}`).toBeLessThan(300);
  return told ? JSON.parse(told) : {};
}

function called(muster: Muster, start: string): Account {
  const account = muster.accounts.find((account) => account.email.startsWith(start));
  if (!account) throw new Error(`${start} is nobody of the demonstration`);
  return account;
}

async function phone(
  browser: Browser, muster: Muster, js: boolean, signIn: (who: Account, page: Page) => Promise<Account>, who: string,
): Promise<Page> {
  const context = await browser.newContext({
    baseURL: muster.url, javaScriptEnabled: js, viewport: { width: 390, height: 844 },
  });
  const page = await context.newPage();
  await signIn(called(muster, who), page);
  return page;
}

/** A day as a date field takes it. */
const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

test("a finding is excepted for a while, by those whose part it is", async ({ page, signIn, muster, browser, js }) => {
  test.setTimeout(90_000);
  await signIn("security-lead");
  const name = `Scanner ${js}`;
  const made = await call(page, "/api/v1/agents", {
    name, purpose: "Reads delivery notes.", environment: "sandbox", autonomy: "suggests", exposure: "internal",
    data: "internal", credentials: [{ name: `scanner key ${js}`, kind: "long-lived" }],
  });
  const id = String(made.id);
  // Bea is the business owner, Ravi the identity owner, Priya the security owner.
  for (const [duty, party] of [["purpose", "PE-4"], ["identity", "PE-5"], ["containment", "PE-5"], ["policy", "PE-12"]]) {
    await call(page, "/api/v1/assignments", { agents: [id], duty, party, mode: "record", reason: "Known." });
  }

  // The risk analyst asks from the finding; who decides and how long it may last is shown before.
  const maren = await (await browser.newContext({ baseURL: muster.url, javaScriptEnabled: js })).newPage();
  await signIn("risk-analyst", maren);
  await maren.goto(`/agents/${id}`);
  const finding = maren.locator("#findings li").filter({ hasText: "standing credential" });
  await finding.getByRole("link", { name: "Except this" }).click();
  const takes = maren.locator("#takes");
  await expect(takes.getByRole("listitem").filter({ hasText: "Identity owner" })).toContainText("Ravi Menon");
  await expect(takes.getByRole("listitem").filter({ hasText: "Business owner" })).toContainText("Bea Lindqvist");
  await expect(takes.getByRole("listitem").filter({ hasText: "Security owner" })).toContainText("Priya Raman");
  await expect(takes).toContainText("At most 180 days");

  // Too long, and nobody by that name: it comes back as it was typed.
  await maren.getByLabel("In a few words").fill("Key until the scanner is replaced");
  await maren.getByLabel("Node of a framework").fill("NHI7");
  await maren.getByLabel("Justification").fill("The new scanner comes in spring.\nIt brings tokens.");
  await maren.getByLabel("How likely is harm").selectOption("2");
  await maren.getByLabel("How bad would it be").selectOption("3");
  await maren.getByRole("textbox", { name: "What is done" }).first().fill("Change the key every month.");
  await maren.getByLabel("By whom").first().fill("Nobody Known");
  await maren.getByLabel("Checked by").first().fill(day(20));
  await maren.getByLabel("Until", { exact: true }).fill(day(300));
  await maren.getByRole("button", { name: "Ask for it" }).click();
  await expect(maren.getByRole("alert")).toContainText("Nobody Known");
  await expect(maren.getByLabel("Justification")).toHaveValue("The new scanner comes in spring.\nIt brings tokens.");
  await expect(maren.getByLabel("How bad would it be")).toHaveValue("3");
  await maren.getByLabel("By whom").first().fill("Ravi Menon");
  await maren.getByRole("button", { name: "Ask for it" }).click();
  await expect(maren.getByRole("alert")).toContainText("lasts at most 180 days");
  await expect(maren.getByLabel("Until", { exact: true })).toHaveValue(day(300));
  if (js) await axe(maren);
  await maren.getByLabel("Until", { exact: true }).fill(day(60));
  await maren.getByRole("button", { name: "Ask for it" }).click();
  await expect(maren.getByRole("status").first()).toContainText("is asked");
  await expect(maren.getByRole("main")).toContainText("NHI7:2025");
  const exception = maren.url().split("/").pop() ?? "";
  expect(exception).toMatch(/^EX-\d+$/);
  // Whoever asked decides nothing.
  await expect(maren.getByRole("button", { name: "Approve", exact: true })).toHaveCount(0);

  // Bea decides with three taps on a phone: home is the first page she sees.
  const bea = await phone(browser, muster, js, signIn, "bea.");
  await bea.goto("/");
  await bea.getByRole("listitem").filter({ hasText: name }).getByRole("link", { name: "Decide" }).click();
  await expect(bea).toHaveURL(new RegExp(`/exceptions/${exception}$`));
  await expect(bea.getByRole("main")).toContainText("The new scanner comes in spring.");
  await fits(bea);
  if (js) await axe(bea);
  await bea.getByRole("button", { name: "Reject" }).click();
  await expect(bea.getByRole("alert")).toContainText("Say why you reject it");
  await bea.getByRole("button", { name: "Approve", exact: true }).click();
  await expect(bea.getByRole("status").first()).toContainText("others have still to decide");
  const ravi = await phone(browser, muster, js, signIn, "ravi.");
  await ravi.goto(`/exceptions/${exception}`);
  await ravi.getByRole("button", { name: "Approve", exact: true }).click();

  // Not in force before the last has agreed.
  await maren.goto(`/agents/${id}`);
  await expect(maren.locator("#findings")).not.toContainText("Excepted until");
  const priya = await phone(browser, muster, js, signIn, "priya.");
  await priya.goto(`/exceptions/${exception}`);
  await priya.getByRole("button", { name: "Approve", exact: true }).click();
  await expect(priya.getByRole("main")).toContainText("In force until");
  await maren.goto(`/agents/${id}`);
  await expect(maren.locator("#findings")).toContainText("Excepted until");
  await expect(maren.locator("#findings")).toContainText(exception);
  await expect(maren.locator("#exceptions")).toContainText("Key until the scanner is replaced");

  // In the register, as a row and as a line.
  await maren.goto(`/exceptions?agent=${id}`);
  await expect(maren.getByRole("row", { name: /Key until the scanner/ })).toContainText("Ravi Menon");
  await maren.getByRole("link", { name: "Timeline" }).click();
  await expect(maren.locator(".timeline")).toContainText("Key until the scanner is replaced");
  await fits(maren);

  // Ravi looks whether it is done, and Maren ends it early.
  await ravi.goto(`/exceptions/${exception}`);
  await ravi.locator("summary", { hasText: "It was checked" }).click();
  await ravi.getByRole("button", { name: "Record the check" }).click();
  await expect(ravi.getByRole("alert")).toContainText("Say what you found");
  await ravi.getByLabel("What was looked at, and found").fill("Changed on the first.");
  await ravi.getByRole("button", { name: "Record the check" }).click();
  await expect(ravi.locator("#controls")).toContainText("Changed on the first.");
  await maren.goto(`/exceptions/${exception}`);
  await maren.locator("summary", { hasText: "Close it" }).click();
  await maren.getByRole("textbox", { name: "Why", exact: true }).fill("The new scanner came early.");
  await maren.getByRole("button", { name: `Close ${exception}` }).click();
  await expect(maren.getByRole("main")).toContainText("The new scanner came early.");
  await maren.goto(`/agents/${id}`);
  await expect(maren.locator("#findings")).not.toContainText("Excepted until");
  await expect(maren.locator("#findings").getByRole("link", { name: "Except this" }).first()).toBeVisible();

  for (const one of [maren, bea, ravi, priya]) await one.context().close();
});

test("every number of the register leads to its rows", async ({ page, signIn }) => {
  await signIn("security-lead");
  await page.goto("/exceptions");
  for (const label of ["expired, still breached", "in force", "end within 30 days", "renewals in force"]) {
    await page.goto("/exceptions");
    const stat = page.getByRole("link", { name: new RegExp(`^[0-9]+ ${label}`) });
    const count = Number(await stat.locator(".value").innerText());
    await stat.click();
    const rows = page.locator("table tbody tr");
    await expect(rows, label).toHaveCount(count);
  }
  await page.goto("/");
  await page.locator("#exceptions").getByRole("link", { name: /Ended, still breached/ }).last().click();
  await expect(page.getByRole("row", { name: /HR export key of the leave assistant/ })).toContainText("still breached");
});

test("a renewal asks for a new reason, and not before what was promised is checked", async ({ page, signIn }) => {
  await signIn("risk-analyst");
  await page.goto("/exceptions/EX-2");
  await expect(page.getByRole("main")).toContainText("Not checked in time");
  await expect(page.getByRole("main")).toContainText("was not checked in time");
  await expect(page.getByRole("link", { name: "Renew" })).toHaveCount(0);
  await page.goto("/exceptions/EX-1");
  await page.getByRole("link", { name: "Renew" }).click();
  await expect(page.getByLabel("In a few words")).toHaveValue("Payments key until the vault rotates it");
  await expect(page.getByLabel("Justification")).toHaveValue("");
  // What is done instead is looked at again, on new days; and the reason is a new one.
  await page.getByLabel("Checked by").nth(0).fill(day(10));
  await page.getByLabel("Checked by").nth(1).fill(day(10));
  await page.getByLabel("Until", { exact: true }).fill(day(20));
  await page.getByRole("button", { name: "Ask for it" }).click();
  await expect(page.getByRole("alert")).toContainText("Say why it is needed");
});
