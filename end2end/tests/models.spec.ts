// Operating models and standing rules: seen before they are done, never over a person's choice.
import { expect, test } from "../fixtures.ts";

test("a model fills an agent's matrix after it was seen", async ({ page, signIn, js }) => {
  await signIn("security-lead");
  await page.goto("/agents/new");
  await page.getByLabel("Name", { exact: true }).fill(`Modelled ${js}`);
  await page.getByRole("radio", { name: "Runs", exact: true }).check();
  await page.locator(".actions").getByRole("button", { name: "Register" }).click();
  await page.getByRole("link", { name: "RACI matrix" }).click();
  await page.getByRole("link", { name: "Apply a model" }).first().click();
  await page.getByRole("radio", { name: "Central platform" }).check();
  await page.getByRole("button", { name: "Next: who fills it" }).click();

  // Where one team alone is of a kind it is suggested; nothing is refused without saying why.
  await expect(page.getByLabel("Security", { exact: false }).first()).toHaveValue("Security operations (TE-4)");
  await page.getByLabel("Business or product owner").fill("PE-4");
  await page.getByLabel("Team that operates it").fill("TE-7");
  await page.getByLabel("Platform team").fill("TE-3");
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.getByRole("alert")).toContainText("Say why");
  await expect(page.getByLabel("Team that operates it")).toHaveValue("TE-7");
  await page.getByLabel("Reason").fill("Agreed.");
  await page.getByRole("button", { name: "Preview" }).click();

  const identity = page.getByRole("row", { name: /^Identity/ });
  await expect(identity).toContainText("Agent platform");
  await expect(identity).toContainText("asked");
  await page.getByRole("button", { name: "Yes, apply it" }).click();
  await expect(page.getByRole("status").first()).toContainText("Central platform is applied to 1 agent");
  await expect(page.getByRole("row", { name: /^Containment/ })).toContainText("offered");
});

test("a rule is seen, kept, run, and asks once", async ({ page, signIn, js }) => {
  await signIn("security-lead");
  const unit = `Ruled ${js}`;
  await page.goto("/agents/new");
  await page.getByLabel("Name", { exact: true }).fill(`By rule ${js}`);
  await page.getByLabel("Business unit").fill(unit);
  await page.getByRole("radio", { name: "Runs", exact: true }).check();
  await page.locator(".actions").getByRole("button", { name: "Register" }).click();

  await page.goto("/rules");
  await page.getByRole("link", { name: "Make a rule" }).click();
  await page.getByLabel("Name", { exact: true }).fill(`Rule ${js}`);
  await page.getByLabel("Where nobody is").selectOption("containment");
  await page.getByLabel("Ask", { exact: true }).fill("Agent platform");
  await page.getByLabel("Business unit").fill(unit);
  await page.getByRole("button", { name: "See what it would do" }).click();
  await expect(page.getByRole("main")).toContainText("runtime owner of 1 agent");
  await page.getByRole("button", { name: "Keep the rule" }).click();
  await page.getByRole("button", { name: "Run it: ask for 1 agent" }).click();
  await expect(page.getByRole("status").first()).toContainText("1 duty is offered");
  await expect(page.getByRole("row", { name: new RegExp(`By rule ${js}`) })).toContainText("Waits for an answer");
  await page.getByRole("link", { name: "See what it would do" }).click();
  await expect(page.getByRole("main")).toContainText("Nobody would be asked");
});
