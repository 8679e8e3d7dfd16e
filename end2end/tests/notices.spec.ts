// Notices: the bell, the list, what reaches oneself, and how they leave Muster.
import { expect, test } from "../fixtures.ts";

test("what happened is told, read and put aside", async ({ page, signIn, js }) => {
  // Each run has its own reader.
  await signIn(js ? "risk-analyst" : "security-lead");
  await page.goto("/agents");
  const bell = page.getByRole("link", { name: /^Notices, / });
  await expect(bell).toHaveAttribute("aria-label", /unread$/);
  await bell.click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Notices");
  const rows = page.locator("tbody tr");
  const before = await rows.count();
  expect(before).toBeGreaterThan(0);
  const first = rows.first();
  const words = (await first.getByRole("link").first().textContent()) ?? "";

  // Opened: it leads to where something is to be done, and is read.
  await first.getByRole("button", { name: "Open" }).click();
  await expect(page).not.toHaveURL(/notices/);
  await page.goto("/notices");
  await expect(page.locator("tbody")).toHaveCount(before > 1 ? 1 : 0);
  await expect(page.getByText(words)).toHaveCount(0);
  await page.getByRole("link", { name: "All", exact: true }).click();
  const again = page.locator("tbody tr").filter({ hasText: words });
  await again.getByRole("button", { name: "Mark as unread" }).click();
  await expect(page).toHaveURL(/show=all/);
  await expect(again.getByRole("button", { name: "Mark as read" })).toBeVisible();

  await page.goto("/notices");
  await page.getByRole("button", { name: "Mark all as read" }).click();
  await expect(page.getByRole("status").first()).toContainText("read.");
  await expect(page.getByRole("heading", { name: "Nothing unread" })).toBeVisible();
  await expect(bell).toHaveAttribute("aria-label", "Notices, none unread");
});

test("the bell of a page that is open rings by itself", async ({ page, context, signIn, js }) => {
  test.skip(!js, "without JavaScript the number comes with the next page");
  await signIn("member");
  await page.goto("/agents");
  const bell = page.locator("#bell");
  await expect(bell).toHaveAttribute("aria-label", /^Notices, /);
  const other = await context.newPage();
  await other.goto("/notices?show=all");
  const row = other.locator("tbody tr").first();
  // Whichever way: the page that stays open tells the same number as the one where it was pressed.
  await row.getByRole("button", { name: /^Mark as / }).click();
  await expect(other.locator("tbody")).toBeVisible();
  const told = await other.locator("#bell").getAttribute("aria-label");
  await page.bringToFront();
  await expect(bell).toHaveAttribute("aria-label", told ?? "");
});

test("what reaches oneself is chosen, and a wrong time keeps what was typed", async ({ page, signIn, js }) => {
  await signIn(js ? "auditor" : "administrator");
  await page.goto("/account");
  await page.getByRole("link", { name: "What reaches you by e-mail, and when" }).click();
  await page.getByLabel("Your time zone").selectOption("+02:00");
  await page.getByLabel("Quiet hours from").fill("22:00");
  await page.getByRole("radio", { name: "A review is due: Only in Muster" }).check();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("alert")).toContainText("leave both empty");
  await expect(page.getByLabel("Quiet hours from")).toHaveValue("22:00");
  await expect(page.getByRole("radio", { name: "A review is due: Only in Muster" })).toBeChecked();
  await page.getByLabel("Quiet hours until").fill("06:30");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").first()).toContainText("Saved.");
  await expect(page.getByLabel("Quiet hours until")).toHaveValue("06:30");
  await expect(page.getByLabel("Your time zone")).toHaveValue("+02:00");
});

test("an administrator adds a channel and removes it", async ({ page, signIn, js }) => {
  const name = `Chat ${js}`;
  await signIn("administrator");
  await page.goto("/settings");
  await page.getByRole("link", { name: "how notices leave Muster" }).click();
  await expect(page.locator("#mail")).toContainText("MUSTER_SMTP_URL");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Address").fill("http://127.0.0.1:9/in");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("alert").first()).toContainText("https://");
  await expect(page.getByLabel("Name")).toHaveValue(name);
  await page.getByLabel("Address").fill("https://127.0.0.1:9/in");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.locator("#channels")).toContainText("Its secret is shown this once");
  const row = page.locator("#channels tbody tr").filter({ hasText: name });
  await row.getByRole("button", { name: "Send a test" }).click();
  await expect(page.getByRole("status").first()).toContainText("did not take the test");
  await expect(page.locator("#channels")).not.toContainText("Its secret is shown this once");
  await row.getByText("Remove…").click();
  await row.getByRole("button", { name: "Remove it" }).click();
  await expect(page.getByRole("status").first()).toContainText("is removed");
  await expect(row).toHaveCount(0);
});
