// Being on call, being reached, being asked again, and handing over: what keeps an owner an owner.
import type { Browser, Page } from "@playwright/test";
import { expect, test } from "../fixtures.ts";
import { axe, fits } from "../look.ts";
import type { Account, Muster } from "../muster.ts";

/** The account whose address begins so. */
function called(muster: Muster, start: string): Account {
  const account = muster.accounts.find((account) => account.email.startsWith(start));
  if (!account) throw new Error(`${start} is nobody of the demonstration`);
  return account;
}

/** A page in a browser of its own, for somebody else who is signed in there. */
async function beside(
  browser: Browser,
  muster: Muster,
  js: boolean,
  signIn: (who: Account, page: Page) => Promise<Account>,
  start: string,
): Promise<Page> {
  const context = await browser.newContext({ baseURL: muster.url, javaScriptEnabled: js });
  const page = await context.newPage();
  await signIn(called(muster, start), page);
  return page;
}

/** Axe in both themes and a phone's width, where there is JavaScript to look with. */
async function looks(page: Page, js: boolean): Promise<void> {
  if (!js) return;
  await axe(page);
  await axe(page, "dark");
  await fits(page);
  await page.setViewportSize({ width: 1440, height: 900 });
}

/** What the navigation says waits at home. */
async function waits(page: Page): Promise<number> {
  const count = page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: /^Home/ }).locator(".waits");
  return (await count.count()) === 0 ? 0 : Number.parseInt((await count.textContent()) ?? "", 10);
}

/** So many hours from now, as a form takes it. */
const hours = (n: number) => new Date(Date.now() + n * 3_600_000).toISOString().slice(0, 16);

test("people take turns, and somebody takes over for a while", async ({ page, signIn, muster, js }) => {
  await signIn(called(muster, "ravi."));
  await page.goto("/teams/TE-3/on-call");
  const main = page.getByRole("main");
  const rotation = page.getByRole("region", { name: "Rotation" });

  // Somebody from outside takes no turn; the rotation that was typed comes back.
  await rotation.getByText("Change the rotation…").click();
  await rotation.getByLabel("People, in their order").fill("Mateo Rojas\nPriya Raman");
  await rotation.getByLabel("A turn lasts").fill("12");
  await rotation.getByLabel("Counted in").selectOption("hours");
  await rotation.getByRole("button", { name: "Save the rotation" }).click();
  await expect(page.getByRole("alert")).toContainText("Priya Raman is not in Agent platform");
  await expect(rotation.getByLabel("People, in their order")).toHaveValue("Mateo Rojas\nPriya Raman");
  await expect(rotation.getByLabel("A turn lasts")).toHaveValue("12");
  await rotation.getByLabel("People, in their order").fill("Mateo Rojas\nKeiko Tanabe");
  await rotation.getByRole("button", { name: "Save the rotation" }).click();
  await expect(page.getByRole("status").first()).toContainText("The rotation is saved.");
  await expect(main).toContainText("Mateo Rojas is on call now: their turn");
  await expect(rotation).toContainText("12 hours");

  // Of 28 turns seven are shown, and the others are one press away.
  const plan = page.getByRole("region", { name: "The next 14 days" });
  await expect(plan.getByRole("row").filter({ visible: true })).toHaveCount(8);
  await plan.getByText(/more turns$/).click();
  expect(await plan.getByRole("row").filter({ visible: true }).count()).toBeGreaterThan(25);

  // Too long, and backwards: refused by the rule, with what was typed.
  const overrides = page.getByRole("region", { name: "Overrides" });
  await overrides.getByText("Somebody takes over…").click();
  await overrides.getByLabel("Who", { exact: true }).fill("Priya Raman");
  await overrides.getByLabel("Until (UTC)").fill("2020-01-01T08:00");
  await overrides.getByLabel("Reason").fill("Mateo is on a train.");
  await overrides.getByRole("button", { name: "Take over" }).click();
  await expect(page.getByRole("alert")).toContainText("It ends before it begins");
  await expect(overrides.getByLabel("Who", { exact: true })).toHaveValue("Priya Raman");
  await expect(overrides.getByLabel("Reason")).toHaveValue("Mateo is on a train.");
  await overrides.getByLabel("Until (UTC)").fill(hours(3));
  await overrides.getByRole("button", { name: "Take over" }).click();
  await expect(main).toContainText("Priya Raman is on call now: took over");
  await expect(overrides.getByRole("row", { name: /^Priya Raman/ })).toContainText("“Mateo is on a train.”");
  await looks(page, js);

  // Every page that names who is on call says so, until it is given back.
  await page.goto("/teams/TE-3");
  await expect(page.getByRole("definition").filter({ hasText: "who is next" })).toContainText("Priya Raman");
  await page.goto("/teams/TE-3/on-call");
  await page.getByRole("button", { name: "Cancel that Priya Raman takes over" }).click();
  await expect(main).toContainText("Mateo Rojas is on call now: their turn");
  await expect(overrides.getByRole("row")).toHaveCount(0);
});

test("a channel counts once a code came by it", async ({ page, signIn, muster, browser, js }) => {
  await signIn(called(muster, "bea."));
  const address = "+47 55 22 33 44";
  const row = (where: Page) => where.getByRole("row").filter({ hasText: address });
  await page.goto("/account");
  await page.getByRole("link", { name: "Your channels and absences" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("How you are reached");
  const reach = page.url();
  await page.getByText("Add a channel…").click();
  await page.getByLabel("By", { exact: true }).selectOption({ label: "Phone" });
  await page.getByLabel("Number, name or address").fill("ring me");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("Enter a telephone number");
  await expect(page.getByLabel("Number, name or address")).toHaveValue("ring me");
  await page.getByLabel("Number, name or address").fill(address);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(row(page)).toContainText("Never tested");
  await expect(row(page).getByRole("button", { name: "Test it" }), "nobody tests their own").toHaveCount(0);

  // A colleague begins the test: the code is theirs to pass on, and is shown once.
  const colleague = await beside(browser, muster, js, signIn, "tomas.");
  await colleague.goto(reach);
  await row(colleague).getByRole("button", { name: "Test it" }).click();
  const shown = colleague.locator("code.secret");
  const code = ((await shown.textContent()) ?? "").replace(/\s/g, "");
  expect(code).toMatch(/^\d{6}$/);
  await looks(colleague, js);
  await colleague.reload();
  await expect(shown).toHaveCount(0);
  await expect(colleague.getByLabel(/^Code that came/), "whoever passes it on does not type it").toHaveCount(0);
  await colleague.context().close();

  // Another code proves nothing; the one that came does.
  await page.goto("/account");
  const typed = page.getByLabel("Code that came by phone");
  await typed.fill(code === "000000" ? "000001" : "000000");
  await page.getByRole("button", { name: "It came" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.goto(reach);
  await expect(row(page)).toContainText("Never tested");
  await typed.fill(code);
  await page.getByRole("button", { name: "It came" }).click();
  await expect(page.getByRole("status").first()).toContainText("It works");
  await expect(row(page)).toContainText("counts until");
  await looks(page, js);
});

test("what is still theirs is confirmed, and the rest handed on", async ({ page, signIn, muster, browser, js }) => {
  await signIn(called(muster, "priya."));
  await page.goto("/");
  const before = await waits(page);
  expect(before).toBeGreaterThan(2);
  await page.getByRole("region", { name: "Still yours?" }).getByRole("link", { name: "Answer" }).click();
  await expect(page.getByRole("main")).toContainText("You changed department");
  await looks(page, js);

  // Nothing ticked is refused; what is ticked is confirmed, and counts at once.
  await page.getByRole("button", { name: "Those ticked are still mine" }).click();
  await expect(page.getByRole("alert")).toContainText("Tick the duties that are still yours.");
  await page.getByRole("checkbox", { name: "Business owner" }).first().check();
  await page.getByRole("button", { name: "Those ticked are still mine" }).click();
  await expect(page.getByRole("status").first()).toContainText("Confirmed: 1 duty is yours.");
  expect(await waits(page)).toBe(before - 1);

  // Another is not: it is offered, and stays hers until that is accepted.
  const link = page.getByRole("link", { name: /^Business owner of AG-\d+ is not mine any more$/ }).first();
  const agent = /AG-\d+/.exec((await link.getAttribute("aria-label")) ?? "")?.[0] ?? "";
  const asked = page.getByRole("link", { name: `Business owner of ${agent} is not mine any more` });
  await link.click();
  await page.getByLabel("Person or team").fill("Bea Lindqvist");
  await page.getByLabel("Reason").fill("I lead another department now.");
  await page.getByRole("main").getByRole("button", { name: "Assign" }).last().click();
  await expect(page).toHaveURL(/\/still-yours$/);
  await expect(page.getByRole("status").first()).toContainText(`Bea Lindqvist is asked to be business owner of ${agent}`);
  await expect(asked).toHaveCount(1);

  const bea = await beside(browser, muster, js, signIn, "bea.");
  await bea.goto("/");
  const offer = bea.getByRole("region", { name: "Waits for you" });
  await expect(offer).toContainText("I lead another department now.");
  // Another journey may have asked her too: then each is ticked first.
  const tick = offer.getByRole("listitem").filter({ hasText: agent }).getByRole("checkbox");
  if (await tick.count()) await tick.check();
  await offer.getByRole("button", { name: /^Accept( those ticked)?$/ }).click();
  await expect(bea.getByRole("status").first()).toContainText("Accepted: 1 offer.");
  await bea.context().close();
  await page.reload();
  await expect(asked).toHaveCount(0);
  await page.goto(`/agents/${agent}`);
  await expect(page.getByRole("main")).toContainText("Bea Lindqvist answers for it");

  // The rest in one press.
  await page.goto("/still-yours");
  await page.getByRole("button", { name: /^All \d+ are still mine$/ }).click();
  await expect(page.getByRole("main")).toContainText("Nothing is asked of you");
  // Decisions that other journeys asked of her may wait still.
  await page.goto("/");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByRole("region", { name: "Still yours?" })).toHaveCount(0);
});

test("an agent is handed over between two teams by two people", async ({ page, signIn, muster, browser, js }) => {
  const lead = await beside(browser, muster, js, signIn, "tomas.");
  const made = await lead.request.post("/api/v1/agents", {
    data: { name: `Handed over ${js}`, built_by: "TE-3", operated_by: "TE-9", running: "yes" },
  });
  expect(made.status(), await made.text()).toBe(201);
  const { id } = (await made.json()) as { id: string };
  await lead.goto(`/agents/${id}`);
  await expect(lead.getByRole("main")).toContainText("The team that operates it never accepted it");
  await lead.context().close();

  // Whoever leads the team that built it offers it …
  await signIn(called(muster, "ravi."));
  await page.goto(`/agents/${id}/handover`);
  await expect(page.getByRole("main")).toContainText("It was never handed over");
  await page.getByLabel("What goes with it").fill("Runs in the east; two alerts are open.");
  await page.getByRole("button", { name: "Offer it" }).click();
  await expect(page.getByRole("status").first()).toContainText("their lead answers");
  await expect(page.getByRole("button", { name: "Accept it" }), "nobody accepts what they offered").toHaveCount(0);

  // … and whoever leads the one that operates it answers: declining takes a reason.
  const maren = await beside(browser, muster, js, signIn, "maren.");
  await maren.goto("/");
  const before = await waits(maren);
  expect(before).toBeGreaterThan(0);
  await maren.getByRole("region", { name: "Handed over between teams" }).getByRole("link", { name: "Answer" }).click();
  await expect(maren.getByRole("main")).toContainText("Runs in the east");
  await looks(maren, js);
  await maren.getByRole("button", { name: "Decline it" }).click();
  await expect(maren.getByRole("alert")).toContainText("Say why you decline");
  await maren.getByLabel("Reason").fill("The alerts first.");
  await maren.getByRole("button", { name: "Decline it" }).click();
  await expect(maren.getByRole("row", { name: /^HO-/ })).toContainText("Declined");
  expect(await waits(maren)).toBe(before - 1);

  await page.reload();
  await expect(page.getByRole("main")).toContainText("“The alerts first.”");
  await page.getByLabel("What goes with it").fill("Both alerts are closed.");
  await page.getByRole("button", { name: "Offer it" }).click();
  await maren.reload();
  await maren.getByRole("button", { name: "Accept it" }).click();
  await expect(maren.getByRole("main")).toContainText("operates it, and accepted it.");
  await expect(maren.getByRole("row", { name: /^HO-/ })).toHaveCount(2);
  await maren.context().close();
  await page.reload();
  await expect(page.getByRole("button", { name: "Offer it" })).toHaveCount(0);
});
