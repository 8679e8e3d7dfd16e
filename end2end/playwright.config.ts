import { defineConfig } from "@playwright/test";
import type { Options } from "./fixtures.ts";

// Every journey runs twice: as most people see Muster, and with JavaScript off,
// where plain links and forms do all of it. A journey that has no meaning in one
// of the two says so with `test.skip`.
export default defineConfig<Options>({
  testDir: "tests",
  workers: 2,
  retries: 0,
  forbidOnly: !!process.env.CI,
  // A machine three times as slow as ours must not fail for being slow.
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    timezoneId: "UTC",
    contextOptions: { reducedMotion: "reduce" },
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      // Debian's Chromium, quiet: it looks up nothing outside this machine.
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
      ],
    },
  },
  projects: [
    { name: "js", use: { javaScriptEnabled: true } },
    { name: "nojs", use: { javaScriptEnabled: false } },
  ],
});
