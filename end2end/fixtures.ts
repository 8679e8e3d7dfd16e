// What every browser test stands on: a Muster of its own, sign-in, and an ear
// for whatever goes wrong in the page without anybody looking.
import { type BrowserContext, type Page, expect, test as base } from "@playwright/test";
import { type Account, Muster, type Role } from "./muster.ts";

export { expect };

/** For `test.use({ … })`. */
export interface Options {
  /** Console errors that a test brings about knowingly. */
  allowed: RegExp[];
}

interface Fixtures {
  /** Signs `page` in as the first account with that role, or as that account. */
  signIn: (who: Role | Account, page?: Page) => Promise<Account>;
  /** Whether this run has JavaScript. */
  js: boolean;
  /** Hears what goes wrong; used by itself. */
  ear: void;
}

export const test = base.extend<Fixtures & Options, { muster: Muster }>({
  allowed: [[], { option: true }],

  // One for each worker: tests of one file share its state, and none stands on
  // what another has left behind.
  muster: [
    async ({}, use) => {
      const muster = await Muster.start();
      await use(muster);
      await muster.stop();
    },
    { scope: "worker", timeout: 90_000 },
  ],

  baseURL: async ({ muster }, use) => use(muster.url),

  js: async ({ javaScriptEnabled }, use) => use(javaScriptEnabled ?? true),

  signIn: async ({ muster, page }, use) => {
    await use(async (who, where = page) => {
      const account = typeof who === "string" ? muster.account(who) : who;
      const answer = await where.context().request.post(`${muster.url}/login`, {
        form: { email: account.email, password: account.password, next: "/" },
        maxRedirects: 0,
      });
      expect(answer.status(), `${account.email} signs in`).toBe(303);
      return account;
    });
  },

  ear: [
    async ({ context, allowed, muster }, use, testInfo) => {
      const heard = listen(context, allowed);
      const before = muster.output.length;
      await use();
      if (testInfo.status !== testInfo.expectedStatus) {
        await testInfo.attach("muster", { body: muster.output.slice(before), contentType: "text/plain" });
      }
      const trouble = muster.trouble();
      if (trouble) throw new Error(trouble);
      expect(heard, "the page stays quiet").toEqual([]);
    },
    { auto: true },
  ],
});

/** Collects page errors, console errors (CSP violations are among them), dead islands and server errors. */
export function listen(context: BrowserContext, allowed: RegExp[] = []): string[] {
  const heard: string[] = [];
  const hear = (text: string) => {
    if (!allowed.some((pattern) => pattern.test(text))) heard.push(text);
  };
  context.on("response", (response) => {
    // A page that is itself a 404 or a 422 is looked at by the test that went there.
    const bad = response.request().isNavigationRequest() ? 500 : 400;
    const asked = `${response.request().method()} ${response.url()}`;
    if (response.status() >= bad) hear(`${response.status()} for ${asked}`);
  });
  context.on("weberror", (error) => hear(`page error: ${error.error().stack ?? error.error().message}`));
  context.on("console", (message) => {
    const text = message.text();
    // The response was heard above, with more to say.
    if (text.startsWith("Failed to load resource")) return;
    const dead = message.type() === "warning" && text.includes("WASM function");
    if (message.type() === "error" || dead) hear(`console: ${text} (${message.location().url})`);
  });
  return heard;
}
