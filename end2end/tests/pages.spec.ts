import { expect, test } from "../fixtures.ts";
import { THEMES, axe, fits, shots } from "../look.ts";
import { PAGES } from "../pages.ts";

for (const known of PAGES) {
  test(`${known.name}: whole, quiet, for everybody`, async ({ page, signIn, js }) => {
    if (known.as) await signIn(known.as);
    const response = await page.goto(known.path);
    expect(response?.status()).toBe(known.status ?? 200);
    expect(await page.title()).not.toBe("");
    await expect(page.locator("h1")).toHaveCount(1);
    await expect(page.locator("main")).toHaveCount(1);
    if (!js) return;

    // That they do something is for each island's own journey.
    if (known.as) await expect.soft(page.locator("html"), "the islands wake").toHaveAttribute("data-islands", "alive");
    for (const theme of THEMES) await axe(page, theme);
    await fits(page);
    if (process.env.SHOTS) await shots(page, known.name);
  });
}

test("no link is dead", async ({ page, signIn, js }) => {
  test.skip(js, "links are the same with JavaScript");
  test.setTimeout(120_000);
  await signIn("administrator");
  const asked = new Map<string, string>();
  for (const known of PAGES) {
    await page.goto(known.path);
    // By attribute: the `href` of a link in an SVG chart is no string.
    const links = await page.locator("a[href]").evaluateAll((all) => all.map((a) => a.getAttribute("href") ?? ""));
    for (const link of links.filter((link) => !link.startsWith("#"))) {
      const url = new URL(link, page.url());
      const path = url.pathname + url.search;
      if (url.origin === new URL(page.url()).origin && !asked.has(path)) asked.set(path, known.name);
    }
  }
  const dead: string[] = [];
  for (const [link, from] of [...asked].slice(0, 400)) {
    const answer = await page.request.get(link, { maxRedirects: 5 });
    if (answer.status() >= 400) dead.push(`${answer.status()} ${link} (on ${from})`);
  }
  expect(dead).toEqual([]);
});
