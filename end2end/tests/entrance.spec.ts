// Getting in: the first administrator, sign-in, sign-out.
import { expect, listen, test } from "../fixtures.ts";
import { THEMES, axe, fits } from "../look.ts";
import { Muster } from "../muster.ts";

test("the first administrator sets Muster up with the printed code", async ({ browser, js }) => {
  test.setTimeout(60_000);
  const muster = await Muster.start({ demo: false });
  const context = await browser.newContext({ baseURL: muster.url, javaScriptEnabled: js });
  const heard = listen(context);
  try {
    const page = await context.newPage();
    const code = /\b(?:[A-Z2-9]{4}-){3}[A-Z2-9]{4}\b/.exec(muster.output)?.[0] ?? "none was printed";
    await page.goto("/setup");
    if (js) {
      for (const theme of THEMES) await axe(page, theme);
      await fits(page);
    }
    await page.getByLabel("One-time code").fill("AAAA-AAAA-AAAA-AAAA");
    await page.getByLabel("Your name").fill("Ada Quist");
    await page.getByLabel("Your e-mail address").fill("ada@example.org");
    await page.getByLabel("Password", { exact: true }).fill("correct horse battery staple");
    await page.getByLabel("Password, again").fill("correct horse battery staple");
    await page.getByLabel("Organisation").fill("Example");
    await page.locator("main form").getByRole("button").click();

    // A wrong code loses nothing that was typed, but for the passwords.
    await expect(page.getByText("This is not the code").first()).toBeVisible();
    await expect(page.getByLabel("Your name")).toHaveValue("Ada Quist");
    await expect(page.getByLabel("Password", { exact: true })).toHaveValue("");

    await page.getByLabel("One-time code").fill(code.toLowerCase());
    await page.getByLabel("Password", { exact: true }).fill("correct horse battery staple");
    await page.getByLabel("Password, again").fill("correct horse battery staple");
    await page.locator("main form").getByRole("button").click();
    await expect(page).toHaveURL(`${muster.url}/`);

    const again = await page.goto("/setup");
    expect(again?.status()).toBe(404);
    expect(heard).toEqual([]);
  } finally {
    await context.close();
    await muster.stop();
  }
});

test("sign-in says no more than it must, and goes where it was headed", async ({ page, muster }) => {
  const account = muster.account("member");
  await page.goto("/audit");
  await expect(page).toHaveURL(/\/login\?next=/);
  await page.getByLabel("E-mail address").fill(account.email);
  await page.getByLabel("Password").fill("not this one");
  await page.locator("main form").getByRole("button").click();
  await expect(page.getByText("The e-mail address or the password is wrong.").first()).toBeVisible();
  await expect(page.getByLabel("E-mail address")).toHaveValue(account.email);

  await page.getByLabel("Password").fill(account.password);
  await page.locator("main form").getByRole("button").click();
  await expect(page).toHaveURL(`${muster.url}/audit`);
});

test("a session that is signed out is over", async ({ page, context, signIn }) => {
  await signIn("member");
  await page.goto("/");
  const kept = await context.cookies();
  // In the person's menu, a popover: it opens without JavaScript too.
  await page.locator("[popovertarget=who]").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/login/);

  // The cookie of before opens nothing.
  await context.addCookies(kept);
  await page.goto("/");
  await expect(page).toHaveURL(/\/login/);
});
