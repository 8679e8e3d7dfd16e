// Retiring an agent: what it takes is shown, it is started, rows are shown and waived, and the
// tombstone is there to read.
import { expect, test } from "../fixtures.ts";
import { axe, fits } from "../look.ts";

test("an agent is retired row by row, and nothing ends while a row is open", async ({ page, signIn, js }) => {
  await signIn("risk-analyst");
  const made = await page.request.post("/api/v1/agents", {
    data: {
      name: `Going ${js}`, running: "yes", environment: "production",
      credentials: [{ name: `going key ${js}`, kind: "short-lived" }],
    },
  });
  expect(made.status()).toBe(201);
  const { id } = await made.json();

  // What it takes is shown before it is started; without a reason it is not.
  await page.goto(`/agents/${id}`);
  await page.getByRole("link", { name: "Retire", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(`Retire Going ${js}`);
  await expect(page.getByRole("row", { name: /Revoke a credential/ })).toContainText(`going key ${js}`);
  if (js) await axe(page);
  await fits(page);
  await page.getByRole("button", { name: `Start retiring ${id}` }).click();
  await expect(page.getByRole("alert").first()).toContainText("Say why it is retired");
  await page.getByRole("textbox", { name: /^Why it is retired/ }).fill("The mailbox is closed.");
  await page.getByRole("button", { name: `Start retiring ${id}` }).click();
  await expect(page.getByRole("status").first()).toContainText("is retiring");
  const here = page.url();

  // Whoever asked waives nothing; a security lead shows a row, and is told what a link must be.
  await expect(page.getByText("Waive…")).toHaveCount(0);
  await signIn("security-lead");
  await page.goto(here);
  const row = page.getByRole("row", { name: /Announce it/ });
  await row.getByText("It is done…").click();
  await row.getByLabel(/^Or a link/).fill("the ticket");
  await row.getByLabel(/^Note/).fill("All were told.");
  await row.getByRole("button", { name: "Keep it: it is done" }).click();
  await expect(page.getByRole("alert").first()).toContainText("whole link");
  await expect(row.getByLabel(/^Note/)).toHaveValue("All were told.");
  await row.getByLabel("A file that shows it").setInputFiles({
    name: "mail.txt", mimeType: "text/plain", buffer: Buffer.from("to all"),
  });
  await row.getByRole("button", { name: "Keep it: it is done" }).click();
  await expect(page.getByRole("status").first()).toContainText("the row is closed");
  await expect(row).toContainText("Verified");

  const logs = page.getByRole("row", { name: /Archive its logs/ });
  await logs.getByText("Waive…").click();
  await logs.getByRole("textbox", { name: /^Why it cannot be shown/ }).fill("It never wrote any.");
  await logs.getByRole("button", { name: /^Yes, waive row/ }).click();
  await expect(logs).toContainText("It never wrote any.");
  await expect(page.getByRole("region", { name: "Signatures" })).toContainText("They sign once every row is closed");
  if (js) await axe(page);
  await fits(page);

  // The board says whose turn it is.
  await page.goto("/retirements");
  await expect(page.getByRole("row", { name: new RegExp(`Going ${js}`) })).toContainText("2 of");
});

test("a tombstone is read by everybody", async ({ page, signIn }) => {
  await signIn("security-lead");
  await page.goto("/retirements?state=approved");
  await page.getByRole("link", { name: "Image studio", exact: true }).first().click();
  await expect(page.getByRole("region", { name: "Who owned it at the end" })).toBeVisible();
  await expect(page.getByText("no logs can be had")).toBeVisible();
  await expect(page.getByText("A sign of life").first()).toBeVisible();
  await signIn("member");
  await page.goto("/agents?q=Image+studio&state=retired");
  await page.getByRole("link", { name: "Image studio", exact: true }).first().click();
  await expect(page.getByRole("region", { name: "Tombstone" })).toBeVisible();
});
