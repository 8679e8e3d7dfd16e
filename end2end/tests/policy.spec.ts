// The policy: read by everybody, seen with its effect before it is kept, never weakened by one
// alone. Deciding in somebody's place. A calendar behind a secret link.
import { expect, test } from "../fixtures.ts";

test("a stronger policy is seen, then in force at once", async ({ page, signIn, js }) => {
  // Each run asks another approver, whatever order they come in.
  const title = js ? "Monitoring owner" : "Improvement owner";
  await signIn("security-lead");
  await page.goto("/policy");
  await page.getByRole("link", { name: "Change the policy" }).click();
  await page.getByLabel(`When the ${title.toLowerCase()} approves`).selectOption("regulated");
  await page.getByLabel("A review is due every, critical tier, days").fill("soon");
  await page.getByRole("button", { name: "See what it does" }).click();
  await expect(page.getByRole("alert")).toContainText("“soon” is no number");
  await expect(page.getByLabel("A review is due every, critical tier, days")).toHaveValue("soon");
  await page.getByLabel("A review is due every, critical tier, days").fill(js ? "29" : "28");
  await page.getByRole("button", { name: "See what it does" }).click();
  await expect(page.locator("#preview")).toContainText(`${title}: asked “regulated” instead of “never”.`);
  await expect(page.locator("#preview")).not.toContainText("It is weaker");
  await page.getByRole("button", { name: "Save: in force at once" }).click();
  await expect(page.getByRole("alert").first()).toContainText("Say why");
  await expect(page.getByLabel(`When the ${title.toLowerCase()} approves`)).toHaveValue("regulated");
  await page.getByLabel("Reason").fill("They watch it.");

  // The number leads to the agents that it counts.
  const more = page.locator("#preview").getByRole("link", { name: /more agents?$/ });
  await expect(more).toHaveCount(1);
  const count = Number((await more.textContent())?.match(/\d+/)?.[0]);
  const href = await more.getAttribute("href");
  await page.getByRole("button", { name: "Save: in force at once" }).click();
  await expect(page.getByRole("status").first()).toContainText("of the policy is in force");
  await expect(page.getByRole("row", { name: new RegExp(`^${title}`) })).toContainText("Regulated");
  await expect(page.locator("#versions")).toContainText("They watch it.");
  await page.goto(href ?? "");
  await expect(page.locator("tbody tr")).toHaveCount(count);
});

test("a weaker policy waits for another", async ({ page, browser, muster, signIn, js }) => {
  const title = js ? "Identity owner" : "API owner";
  await signIn("security-lead");
  await page.goto("/policy/edit");
  await page.getByLabel(`When the ${js ? "identity owner" : "API owner"} approves`).selectOption("never");
  await page.getByLabel("Reason").fill(`Too many steps ${js}`);
  await page.getByRole("button", { name: "See what it does" }).click();
  await expect(page.locator("#preview")).toContainText("It needs a second person");
  await page.getByRole("button", { name: "Propose it to a second person" }).click();
  await expect(page.getByRole("status").first()).toContainText("needs a second person");
  await expect(page.getByRole("row", { name: new RegExp(`^${title}`) })).not.toContainText("Never");

  const [me, other] = muster.accounts.filter((account) => account.roles.includes("security-lead"));
  expect(me && other).toBeTruthy();
  const context = await browser.newContext({ baseURL: muster.url, javaScriptEnabled: js });
  const second = await context.newPage();
  await signIn(other, second);
  await second.goto("/");
  const waits = second.locator("#proposals");
  await expect(waits).toContainText(`${title}: asked “never”`);
  await waits.getByText("Confirm…").click();
  await waits.getByRole("button", { name: "Yes, confirm it" }).click();
  await expect(second.getByRole("status").first()).toContainText("Confirmed: version");
  await expect(second.locator("#versions")).toContainText("Weaker");
  await context.close();
});

test("somebody decides in one's place for a while", async ({ page, signIn }) => {
  await signIn("member");
  await page.goto("/account");
  await page.getByRole("link", { name: "Who decides in your place" }).click();
  await page.getByLabel("Who decides").fill("Tom");
  await page.getByLabel("Until (UTC)").fill("2020-01-01T08:00");
  await page.getByLabel("Reason").fill("On leave.");
  await page.getByRole("button", { name: "Delegate" }).click();
  await expect(page.getByLabel("Reason")).toHaveValue("On leave.");
  const until = new Date(Date.now() + 9 * 86_400_000).toISOString().slice(0, 16);
  await page.getByLabel("Who decides").fill("tomas.ferreira@halden.example");
  await page.getByLabel("Until (UTC)").fill(until);
  await page.getByRole("button", { name: "Delegate" }).click();
  await expect(page.getByRole("status").first()).toContainText("You stay accountable");
  await expect(page.getByRole("row", { name: /Tom/ })).toContainText("On leave.");
  await page.getByRole("button", { name: "Take it back" }).click();
  await expect(page.getByRole("main")).toContainText("Nobody decides in your place");
});

test("a secret link opens a calendar until it is ended", async ({ page, muster, signIn }) => {
  await signIn("security-lead");
  await page.goto("/account");
  const make = page.locator("#calendar").getByRole("button", { name: /Make a link|Replace it/ });
  await make.click();
  const url = (await page.locator("#calendar code.secret").textContent()) ?? "";
  expect(url).toContain("/calendar/");
  const path = new URL(url).pathname;
  const feed = await fetch(muster.url + path);
  expect(feed.headers.get("content-type")).toContain("text/calendar");
  expect(await feed.text()).toContain("BEGIN:VCALENDAR\r\n");
  await page.locator("#calendar").getByText("End it…").click();
  await page.getByRole("button", { name: "Yes, end the link" }).click();
  await expect(page.getByRole("status").first()).toContainText("opens nothing any more");
  expect((await fetch(muster.url + path)).status).toBe(404);
});
