// Matrices: filled by keyboard or by a plain form, saved as one change; any table checked.
import { expect, test } from "../fixtures.ts";
import { axe } from "../look.ts";

test("a matrix of eight parties is filled and saved as one change", async ({ page, signIn, js }) => {
  // 255 keys, each of them drawn: what is measured below is how long they take.
  test.setTimeout(120_000);
  await signIn("security-lead");
  await page.goto("/agents/new");
  await page.getByLabel("Name", { exact: true }).fill(`Gridded ${js}`);
  await page.getByRole("radio", { name: "Runs", exact: true }).check();
  await page.locator(".actions").getByRole("button", { name: "Register" }).click();
  await page.getByRole("link", { name: "RACI matrix" }).click();
  await page.getByRole("link", { name: "Fill the matrix" }).click();

  await page.getByLabel("Add parties").fill("PE-1; PE-2; PE-3; PE-4; PE-5; PE-6; TE-1; TE-2");
  await page.getByLabel("Reason").fill("Agreed in the kick-off.");
  await page.getByRole("button", { name: "Add columns" }).click();
  await expect(page.getByRole("columnheader")).toHaveCount(10);
  await expect(page.getByLabel("Reason")).toHaveValue("Agreed in the kick-off.");
  await expect(page.locator("[data-duty=purpose]")).toContainText("No A");

  if (js) {
    await expect(page.locator(".raci-grid.alive")).toBeVisible();
    const grid = page.getByRole("grid", { name: "RACI matrix" });
    const cells = grid.getByRole("gridcell");
    await cells.first().focus();
    const began = Date.now();
    // Eight by fifteen: the first answers for it, the second does the work, the others are told.
    for (let duty = 0; duty < 15; duty++) {
      await page.keyboard.press("Home");
      for (const key of ["a", "r", "c", "i", "i", "i", "i", "i"]) {
        await page.keyboard.press(key);
        await page.keyboard.press("ArrowRight");
      }
      await page.keyboard.press("ArrowDown");
    }
    expect(Date.now() - began).toBeLessThan(60_000);
    await expect(page.locator("td.wrong p")).toHaveCount(0);

    // A letter is added with Shift, a press goes round, Delete empties; each is said.
    await page.keyboard.press("Control+Home");
    await page.keyboard.press("Shift+r");
    const first = cells.first();
    // beside the letter stands the list that is sent, out of sight
    const letter = first.locator(".letter");
    await expect(first).toBeFocused();
    await expect(letter).toHaveText("R/A");
    await expect(first).toHaveAttribute("aria-label", /Responsible and Accountable/);
    await page.keyboard.press("Delete");
    await expect(page.locator("[data-duty=purpose]")).toContainText("No A");
    await expect(page.getByRole("status").filter({ hasText: "No A" })).toHaveCount(1);
    await first.click();
    await expect(letter).toHaveText("R");
    await page.keyboard.press(" ");
    await expect(letter).toHaveText("A");
    await expect(grid.locator("[tabindex='0']")).toHaveCount(1);
    await axe(page);
  } else {
    await page.getByLabel(/^Purpose: /).first().selectOption("A");
    await page.getByLabel(/^Purpose: /).nth(1).selectOption("R");
  }

  await page.getByRole("button", { name: "Save as one change" }).click();
  await expect(page.getByRole("status").first()).toContainText("The matrix is saved.");
  await expect(page.getByRole("row", { name: /^Purpose/ })).toContainText("offered");
});

test("a table of any origin is checked by paste", async ({ page, signIn }) => {
  await signIn("member");
  await page.goto("/help#duties");
  await page.getByRole("link", { name: "check it" }).click();
  await page.getByLabel("Table", { exact: false }).first().fill("Task,One,Two\nDeploy,A,R\nStop,A,A\n");
  await page.getByRole("button", { name: "Check" }).click();
  await expect(page.getByRole("alert")).toContainText("1 row breaks a rule");
  await expect(page.getByRole("row", { name: /Stop/ }).first()).toContainText("several A");
  await expect(page.getByRole("row", { name: /Deploy/ })).toHaveCount(0);
});

test("an agent inherits what its platform has, and overrides a row", async ({ page, signIn, js }) => {
  await signIn("security-lead");
  await page.goto("/systems/new");
  await page.getByLabel("Name", { exact: true }).fill(`Base ${js}`);
  await page.getByRole("radio", { name: /Shared platform/ }).check();
  await page.getByRole("button", { name: "Add" }).click();
  await expect(page.getByRole("row", { name: /Platform owner/ })).toContainText("Nobody");
  await page.locator("#owners").getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("Add parties").fill("PE-5");
  await page.getByRole("button", { name: "Add columns" }).click();
  if (js) {
    const cells = page.getByRole("grid", { name: "RACI matrix" }).getByRole("gridcell");
    await expect(page.locator(".raci-grid.alive td.cell")).toHaveCount(3);
    await cells.first().focus();
    await page.keyboard.press("r");
  } else {
    await page.getByLabel(/^Identity: /).first().selectOption("R");
  }
  await page.getByLabel("Reason").fill("He runs it.");
  await page.getByRole("button", { name: "Save as one change" }).click();
  await expect(page.getByRole("row", { name: /^Identity/ })).toContainText("R");

  await page.goto("/agents/new");
  await page.getByLabel("Name", { exact: true }).fill(`Guest of the base ${js}`);
  await page.getByRole("radio", { name: "Runs", exact: true }).check();
  await page.getByLabel("Runs on the platform").selectOption({ label: `Base ${js}` });
  await page.locator(".actions").getByRole("button", { name: "Register" }).click();
  await expect(page.getByRole("row", { name: /Identity owner/ })).toContainText("Ravi Menon");
  await page.getByRole("link", { name: "RACI matrix" }).click();
  await expect(page.getByRole("columnheader", { name: /Inherited from/ })).toBeVisible();
  await expect(page.getByRole("row", { name: /^Identity/ })).toContainText("Ravi Menon");
});
