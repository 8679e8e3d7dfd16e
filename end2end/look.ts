// Looking at a page: accessibility, width, and pictures.
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { type Page, expect } from "@playwright/test";

export type Theme = "light" | "dark";
export const THEMES: Theme[] = ["light", "dark"];
export const PHONE = { width: 390, height: 844 };
export const DESK = { width: 1440, height: 900 };

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** What a theme can break; all else is the same in both. */
const COLOURS = ["color-contrast", "link-in-text-block"];

/** axe finds nothing, in this theme. A failure does not end the test: the other theme is looked at too. */
export async function axe(page: Page, theme: Theme = "light"): Promise<void> {
  await page.emulateMedia({ colorScheme: theme });
  // Legacy: no second page is opened to gather frames, of which we have none.
  const builder = new AxeBuilder({ page }).setLegacyMode();
  const { violations } = await (
    theme === "dark" ? builder.withRules(COLOURS) : builder.withTags(RULES)
  ).analyze();
  const found = violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.target.join(" ")}: ${node.failureSummary}`),
  );
  expect.soft(found, `axe, ${theme}`).toEqual([]);
}

/** Nothing pushes the page wider than its window. What scrolls in a box of its own may be as wide as it likes. */
export async function fits(page: Page, size = PHONE): Promise<void> {
  await page.setViewportSize(size);
  const wide = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) <= width) return [];
    const scrolls = (element: Element | null): boolean =>
      element !== null &&
      element !== document.body &&
      element !== document.documentElement &&
      (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));
    return [...document.querySelectorAll("body *")]
      .filter((element) => element.getBoundingClientRect().right > width + 0.5 && !scrolls(element.parentElement))
      .map((element) => `${element.tagName.toLowerCase()}.${[...element.classList].join(".")}`)
      .concat(`the page is ${document.documentElement.scrollWidth} wide`);
  });
  expect.soft(wide, `fits ${size.width} px`).toEqual([]);
}

/** Pictures of the whole page at both widths in both themes, into `shots/`. */
export async function shots(page: Page, name: string): Promise<void> {
  for (const size of [DESK, PHONE]) {
    await page.setViewportSize(size);
    for (const theme of THEMES) {
      await page.emulateMedia({ colorScheme: theme });
      const path = join(import.meta.dirname, "shots", `${name}-${size.width}-${theme}.png`);
      await page.screenshot({ path, fullPage: true, animations: "disabled" });
    }
  }
}
