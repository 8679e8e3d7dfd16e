// Periodic review: what waits, the answer with "not observed", putting off, a campaign.
import { expect, test } from "../fixtures.ts";
import type { Account } from "../muster.ts";

/** Leads the agent platform, which reviews the coding agents. */
function ravi(accounts: Account[]): Account {
  const account = accounts.find((a) => a.email.startsWith("ravi."));
  if (!account) throw new Error("the demonstration has no Ravi");
  return account;
}

test("a reviewer answers, and what was put off is not put off again", async ({ page, signIn, muster }) => {
  await signIn(ravi(muster.accounts));
  await page.goto("/reviews");
  await page.getByRole("link", { name: "Test writer" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Review: Test writer");
  await expect(page.locator("#activity")).toContainText("Not observed: no source reports what this agent does.");

  // What fails comes back as it was typed.
  await page.getByRole("radio", { name: "Ask for a change" }).check();
  await page.getByRole("button", { name: "Answer", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("Say what must change");
  await expect(page.getByRole("radio", { name: "Ask for a change" })).toBeChecked();

  await page.getByRole("radio", { name: "Attest" }).check();
  await page.getByLabel("Reason", { exact: false }).first().fill("It writes tests, nothing else.");
  await page.getByRole("button", { name: "Answer", exact: true }).click();
  await expect(page.getByRole("status").first()).toContainText("It is attested");
  await expect(page.getByRole("main")).toContainText("What the agent did was not observed");
  await expect(page.getByRole("button", { name: "Answer", exact: true })).toHaveCount(0);

  // The one that was put off before cannot be put off again.
  await page.goto("/reviews");
  await page.getByRole("link", { name: "Log explorer" }).click();
  await expect(page.getByRole("radio", { name: "Attest" })).toBeVisible();
  await expect(page.getByRole("radio", { name: "Put it off, once" })).toHaveCount(0);
});

test("a campaign is made from the inventory, shows how it stands, and is closed", async ({ page, signIn, js }) => {
  await signIn("risk-analyst");
  await page.goto("/agents?business_unit=Fleet");
  await page.getByRole("checkbox", { name: "Pick Maintenance planner" }).check();
  await page.getByRole("checkbox", { name: "Pick Toll reconciler" }).check();
  await page.getByRole("button", { name: "Review…" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Review 2 agents");
  await page.getByRole("button", { name: "Begin the review of 2 agents" }).click();
  await expect(page.getByRole("alert")).toContainText("name");
  await page.getByLabel("Name", { exact: true }).fill(`Fleet ${js}`);
  await page.getByRole("button", { name: "Begin the review of 2 agents" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(`Fleet ${js}`);
  await expect(page.getByRole("row", { name: /Toll reconciler/ })).toContainText("Left out");
  await page.getByRole("link", { name: /^Waiting/ }).click();
  await expect(page.getByRole("row", { name: /Maintenance planner/ })).toContainText("Oskar Nyman");
  await expect(page.getByRole("row", { name: /Toll reconciler/ })).toHaveCount(0);

  await page.getByText("Close it early…").click();
  await page.getByRole("textbox", { name: "Reason" }).fill("Made by mistake.");
  await page.getByRole("button", { name: "Yes, close it" }).click();
  await expect(page.getByRole("status").first()).toContainText("1 review is taken back");
  await expect(page.getByRole("main")).toContainText("Closed early");
});
