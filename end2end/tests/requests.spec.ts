// An agent is asked for, decided by its owners, made active, changed by a request, reviewed and
// retired, each by the person whose part it is, on a phone too; and one is seen to differ from
// what was approved.
import type { Browser, Page } from "@playwright/test";
import { expect, test } from "../fixtures.ts";
import { axe, fits } from "../look.ts";
import type { Account, Muster } from "../muster.ts";

/** Calls the API as whoever is signed in on the page. */
async function call(page: Page, url: string, data: object, method = "post"): Promise<Record<string, unknown>> {
  const answer = await page.request.fetch(url, { method, data, headers: method === "put" ? { "If-Match": "*" } : {} });
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

test("an agent's life: approved, active, changed by request, reviewed, retired", async ({ page, signIn, muster, browser, js }) => {
  test.setTimeout(150_000);
  await signIn("security-lead");
  const name = `Planner ${js}`;
  const made = await call(page, "/api/v1/agents", {
    name, purpose: "Plans the rounds of the vans.", environment: "sandbox", autonomy: "suggests",
    exposure: "internal", data: "internal",
  });
  const id = String(made.id);
  // Bea is the business owner, Ravi everything technical, Priya leads nothing but policy here.
  for (const [duty, party] of [
    ["purpose", "PE-4"], ["implementation", "PE-5"], ["containment", "PE-5"], ["policy", "PE-12"],
    ["review", "PE-5"], ["identity", "PE-5"], ["retirement", "PE-5"],
  ]) {
    await call(page, "/api/v1/assignments", { agents: [id], duty, party, mode: "record", reason: "Known." });
  }
  await page.goto(`/agents/${id}`);
  await page.getByRole("link", { name: "Ask for approval" }).click();
  await expect(page.getByRole("row", { name: /Business owner/ })).toContainText("Bea Lindqvist");
  await expect(page.getByRole("row", { name: /Business owner/ })).toContainText("Every agent needs this approval.");
  await page.getByLabel("What the deciders must know").fill("The vans leave on Monday.");
  await page.getByRole("button", { name: "Ask for it" }).click();
  await expect(page.getByRole("status").first()).toContainText("is asked");
  const request = page.url().split("/").pop() ?? "";

  // Bea is somewhere else, with a phone: home, the card, the decision.
  const bea = await phone(browser, muster, js, signIn, "bea.");
  await bea.goto("/");
  const line = bea.getByRole("listitem").filter({ hasText: name });
  await line.getByRole("link", { name: "Decide" }).click();
  await expect(bea.getByRole("main")).toContainText("Plans the rounds of the vans.");
  await expect(bea.getByRole("main")).toContainText("At worst:");
  await fits(bea);
  if (js) await axe(bea);
  // To reject takes a reason, and what was typed stays.
  await bea.getByRole("button", { name: "Reject" }).click();
  await expect(bea.getByRole("alert")).toContainText("Say why you reject it");
  await bea.getByLabel("Reason or question").fill("Which vans?");
  await bea.getByRole("button", { name: "Ask", exact: true }).click();
  await expect(bea.getByRole("status").first()).toContainText("Your question is asked");

  await page.goto(`/requests/${request}`);
  await page.getByLabel("Your answer").fill("All of them.");
  await page.getByRole("button", { name: "Answer" }).click();
  await expect(page.getByText("All of them.")).toBeVisible();
  // Whoever asked does not decide, whatever they lead.
  await expect(page.getByRole("button", { name: "Approve", exact: true })).toHaveCount(0);

  await bea.goto(`/requests/${request}`);
  await bea.getByRole("button", { name: "Approve", exact: true }).click();
  await expect(bea.getByRole("status").first()).toContainText("others have still to decide");

  // Ravi answers for two technical parts in one decision; Priya on a condition.
  const ravi = await phone(browser, muster, js, signIn, "ravi.");
  await ravi.goto(`/requests/${request}`);
  await expect(ravi.getByRole("checkbox", { name: "System owner" })).toBeChecked();
  await ravi.getByRole("button", { name: "Approve", exact: true }).click();
  const priya = await phone(browser, muster, js, signIn, "priya.");
  await priya.goto(`/requests/${request}`);
  await priya.locator("summary", { hasText: "Approve with conditions" }).click();
  await priya.getByLabel("What must be done").first().fill("Log each plan.");
  await priya.getByLabel("By whom").first().fill("Nobody Known");
  await priya.getByLabel("Until").first().fill("2027-03-01");
  await priya.getByRole("button", { name: "Approve with these conditions" }).click();
  await expect(priya.getByLabel("What must be done").first()).toHaveValue("Log each plan.");
  await priya.getByLabel("By whom").first().fill("Ravi Menon");
  await priya.getByRole("button", { name: "Approve with these conditions" }).click();
  await expect(priya.getByRole("status").first()).toContainText("approved");

  // Approved, and not yet able to be stopped: it says so, and does not become active.
  await page.goto(`/agents/${id}`);
  await expect(page.locator("#requests")).toContainText("Before it may become active");
  await expect(page.locator("#requests")).toContainText("no recorded way to stop it");
  await call(ravi, `/api/v1/agents/${id}/stop-methods`, { surface: "pause", kind: "manual", procedure: "Press the red switch." });
  await page.goto(`/agents/${id}`);
  await page.getByRole("button", { name: "Make it active" }).click();
  await expect(page.getByRole("status").first()).toContainText("is active");

  // Its boundary changes by a request alone.
  await page.getByRole("link", { name: "Ask for a change of scope" }).click();
  await page.getByLabel("Purpose", { exact: false }).first().fill("Plans the rounds of the vans and of the trucks.");
  await page.locator(".actions").getByRole("button", { name: "See who decides" }).click();
  await expect(page.getByRole("row", { name: /Security owner/ })).toContainText("The purpose changes.");
  await page.getByLabel("Reason for the change").fill("Trucks too.");
  await page.getByRole("button", { name: "Ask for the change" }).click();
  await expect(page.getByRole("row", { name: /Purpose/ })).toContainText("and of the trucks");
  const change = page.url();
  for (const who of [bea, priya]) {
    await who.goto(change);
    await who.getByRole("button", { name: "Approve", exact: true }).click();
    await expect(who.getByRole("status").first()).toContainText("Your decision is recorded");
  }
  await page.goto(`/agents/${id}`);
  await expect(page.getByRole("main")).toContainText("and of the trucks");
  await expect(page.locator("#requests")).toContainText("Its boundary is as approved");

  // Ravi reviews it: nothing reports what it does, and his answer says so.
  await page.goto(`/reviews/new?agent=${id}`);
  await page.getByLabel("Why").fill("Trucks since this week.");
  await page.getByRole("button", { name: "Begin the review" }).click();
  const review = page.url();
  await ravi.goto(review);
  await expect(ravi.locator("#activity")).toContainText("Not observed");
  await ravi.getByRole("radio", { name: "Attest" }).check();
  await ravi.getByLabel("Reason", { exact: false }).first().fill("It plans, nothing else.");
  await ravi.getByRole("button", { name: "Answer", exact: true }).click();
  await expect(ravi.getByRole("status").first()).toContainText("It is attested");

  // The risk analyst starts its end; each row is shown, the watch is waived by security.
  const maren = await phone(browser, muster, js, signIn, "maren.");
  await maren.goto(`/agents/${id}/retire`);
  await maren.getByRole("textbox", { name: /^Why it is retired/ }).fill("The vans are sold.");
  await maren.getByRole("button", { name: `Start retiring ${id}` }).click();
  await expect(maren.getByRole("status").first()).toContainText("is retiring");
  const end = maren.url();
  await bea.goto(end);
  await expect(bea.getByRole("button", { name: "Sign it" }), "not while a row is open").toHaveCount(0);
  await page.goto(end);
  for (const what of [/Announce it/, /Stop it for good/, /Hand over or delete/, /Archive its logs/, /Close its exceptions/]) {
    const row = page.getByRole("row", { name: what });
    await row.getByText("It is done…").click();
    await row.getByLabel(/^Or a link/).fill("https://tickets.example.org/4711");
    await row.getByRole("button", { name: "Keep it: it is done" }).click();
    await expect(row, String(what)).toContainText("Claimed");
  }
  const watch = page.getByRole("row", { name: /Watch for a sign of life/ });
  await watch.getByText("Waive…").click();
  await watch.getByRole("textbox", { name: /^Why it cannot be shown/ }).fill("It never left the sandbox.");
  await watch.getByRole("button", { name: /^Yes, waive row/ }).click();
  await expect(watch).toContainText("It never left the sandbox.");
  for (const who of [bea, ravi]) {
    await who.goto(end);
    await who.getByRole("button", { name: "Sign it" }).click();
    await expect(who.getByRole("status").first()).toBeVisible();
  }

  // The tombstone is there to read, and nothing leads back.
  await priya.goto(`/agents/${id}`);
  await expect(priya.getByRole("region", { name: "Tombstone" })).toBeVisible();
  await expect(priya.getByRole("main")).toContainText("and of the trucks");
  for (const move of ["submit", "activate", "resume"]) {
    const answer = await page.request.post(`/api/v1/agents/${id}/actions/${move}`, { data: { reason: "Back to life." } });
    expect(answer.status(), move).toBe(409);
  }

  for (const one of [bea, ravi, priya, maren]) await one.context().close();
});

test("what a scan saw is offered as a change of scope", async ({ page, signIn }) => {
  await signIn("risk-analyst");
  await page.goto("/agents?finding=drift");
  await page.getByRole("link", { name: "Fuel analyst" }).first().click();
  await page.getByRole("link", { name: "Look at the difference" }).click();
  await expect(page.getByRole("main")).toContainText("gateway scan");
  await page.locator(".actions").getByRole("button", { name: "See who decides" }).click();
  await expect(page.getByRole("row", { name: /Business owner/ })).toContainText("What tools it may use changes.");
});
