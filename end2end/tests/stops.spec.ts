// Stopping: shown before a witness, pressed in an emergency, reviewed; and everything that uses
// one key at once, through a receiver that really listens.
import { createHmac } from "node:crypto";
import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "@playwright/test";
import { expect, test as base } from "../fixtures.ts";
import { axe, fits } from "../look.ts";
import { type Account, Muster } from "../muster.ts";

const test = base.extend<object, { muster: Muster }>({
  // The receiver listens on this machine.
  muster: [
    async ({}, use) => {
      const muster = await Muster.start({ env: { MUSTER_ALLOW_PRIVATE_TARGETS: "true" } });
      await use(muster);
      await muster.stop();
    },
    { scope: "worker", timeout: 90_000 },
  ],
});

/** Calls the API as whoever is signed in on the page. */
async function call(page: Page, url: string, data: object): Promise<Record<string, unknown>> {
  const answer = await page.request.post(url, { data });
  expect(answer.status(), `${url}: ${await answer.text()}`).toBeLessThan(300);
  return answer.json();
}

/** An agent that runs, with these credentials. */
async function agent(page: Page, name: string, credentials: string[] = []): Promise<string> {
  const made = await call(page, "/api/v1/agents", {
    name,
    running: "yes",
    environment: "production",
    credentials: credentials.map((name) => ({ name, kind: "long-lived" })),
  });
  return String(made.id);
}

/** Whoever is signed in with this address, and their page. */
function called(muster: Muster, start: string): Account {
  const account = muster.accounts.find((account) => account.email.startsWith(start));
  if (!account) throw new Error(`${start} is nobody of the demonstration`);
  return account;
}

test("it is shown before a witness, pressed in an emergency, and reviewed", async ({
  page, signIn, muster, browser, js,
}) => {
  await signIn("security-lead");
  const id = await agent(page, `Stoppable ${js}`);
  await call(page, "/api/v1/assignments", {
    agents: [id], duty: "containment", party: "PE-4", mode: "record", reason: "They run it.",
  });
  const other = async (account: Account): Promise<Page> => {
    const context = await browser.newContext({ baseURL: muster.url, javaScriptEnabled: js });
    const page = await context.newPage();
    await signIn(account, page);
    return page;
  };

  // The owner writes down how, and brings the file that shows it.
  const owner = await other(called(muster, "bea."));
  await owner.goto(`/agents/${id}/stop`);
  const pause = owner.getByRole("region", { name: "Pause", exact: true });
  await pause.getByText("Record how to do it…").click();
  await pause.getByRole("button", { name: "Record", exact: true }).click();
  await expect(owner.getByRole("alert").first()).toContainText("Write down, step by step");
  await pause.getByRole("textbox", { name: /^Procedure/ }).fill("1. Scale it to zero.\n2. See that no request arrives.");
  await pause.getByRole("button", { name: "Record", exact: true }).click();
  await expect(owner.getByRole("status").first()).toContainText("Recorded.");
  await pause.getByText("Record a drill…").click();
  await pause.getByLabel("Seconds until it had stopped").fill("41");
  await pause.getByLabel("Witness").fill("PE-5");
  await pause.getByLabel("Evidence").setInputFiles({
    name: "lamp.txt", mimeType: "text/plain", buffer: Buffer.from("the lamp is out"),
  });
  await pause.getByRole("button", { name: "Send it to the witness" }).click();
  await expect(owner.getByRole("status").first()).toContainText("Sent to the witness");
  await expect(owner.getByRole("region", { name: "Drills" })).toContainText("Waits for the witness");

  // It counts once the witness has said that they saw it.
  const witness = await other(called(muster, "ravi."));
  await witness.goto("/");
  await witness.getByRole("button", { name: "I saw it stop" }).first().click();
  await expect(witness.getByRole("status").first()).toContainText("The drill counts.");
  await witness.context().close();
  await owner.reload();
  await expect(owner.getByRole("region", { name: "Drills" })).toContainText("41 seconds");

  // In an emergency: two presses, nothing typed.
  const now = owner.getByRole("region", { name: "Stop it now" });
  await now.getByText("Stop it now…").click();
  await now.getByRole("radio", { name: "It harms people or data." }).check();
  await now.getByRole("button", { name: `Yes, stop ${id}` }).click();
  const card = owner.getByRole("region", { name: "The last stop" });
  await expect(card).toContainText("until revoked");
  await expect(owner.getByText("No webhook pauses it", { exact: false }).first()).toBeVisible();
  await expect(card.getByRole("row", { name: /^Terminate sessions/ })).toContainText("Open");
  await card.getByRole("row", { name: /^Pause execution/ }).getByRole("button", { name: /^It is done/ }).click();
  await expect(card.getByRole("row", { name: /^Pause execution/ })).toContainText("Done");
  await expect(owner.getByText("Review it…"), "nobody reviews what they did").toHaveCount(0);
  if (js) {
    await axe(owner);
    await fits(owner);
  }
  await owner.context().close();

  // Somebody else reviews it; an empty review comes back.
  await page.goto(`/agents/${id}/stop`);
  const theirs = page.getByRole("region", { name: "The last stop" });
  await theirs.getByText("Review it…").click();
  await theirs.getByRole("button", { name: "Keep the review" }).click();
  await expect(page.getByRole("alert").first()).toContainText("Say what you found");
  await theirs.getByLabel("What you found").fill("It was right.");
  await theirs.getByRole("button", { name: "Keep the review" }).click();
  await expect(theirs).toContainText("“It was right.”");

  // A second stop stands beside the first, which stays to be read.
  await page.getByText("Stop it now…").click();
  await page.getByRole("button", { name: `Yes, stop ${id}` }).click();
  const past = page.getByRole("region", { name: "Every stop of it" });
  await expect(past.getByRole("row")).toHaveCount(3);
  await past.getByRole("row", { name: /It harms people/ }).getByRole("link").click();
  await expect(page.getByRole("region", { name: "An earlier stop" })).toContainText("“It was right.”");
});

/** A receiver on this machine: `/stop` takes the call and shows by its callback that it stopped,
 * `/broken` refuses it. */
async function receiver(secrets: Map<string, string>) {
  const calls: { path: string; body: Record<string, unknown> }[] = [];
  const whole = async (request: IncomingMessage) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    return Buffer.concat(pieces);
  };
  const sign = (secret: string, at: string, body: string | Buffer) =>
    `v1=${createHmac("sha256", secret).update(`${at}.`).update(body).digest("hex")}`;
  const server = createServer((request, response) => {
    void whole(request).then(async (sent) => {
      const body = JSON.parse(sent.toString()) as Record<string, string>;
      const path = request.url ?? "";
      const secret = secrets.get(body.agent ?? "") ?? "";
      const at = String(request.headers["muster-timestamp"]);
      const genuine = request.headers["muster-signature"] === sign(secret, at, sent);
      calls.push({ path: genuine ? path : "forged", body });
      response.writeHead(path === "/broken" ? 503 : 202).end(path === "/broken" ? "down for maintenance" : "");
      if (path === "/broken") return;
      const said = JSON.stringify({ delivery: body.delivery, stopped: true });
      const now = String(Math.floor(Date.now() / 1000));
      await fetch(body.callback ?? "", {
        method: "POST",
        headers: { "muster-timestamp": now, "muster-signature": sign(secret, now, said) },
        body: said,
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, calls, close: () => server.close() };
}

test("everything that uses a key is stopped at once", async ({ page, signIn, js }) => {
  const secrets = new Map<string, string>();
  const hooks = await receiver(secrets);
  await signIn("security-lead");
  const key = `shared key ${js}`;
  const ids: string[] = [];
  for (const [name, path] of [["Shown", "/stop"], ["Refusing", "/broken"], ["By hand", ""]] as const) {
    const id = await agent(page, `${name} ${js}`, [key]);
    ids.push(id);
    if (!path) continue;
    const made = await call(page, `/api/v1/agents/${id}/stop-methods`, { kind: "webhook", url: hooks.url + path });
    secrets.set(id, String(made.secret));
  }

  // From one agent to all that share its key: first what that would touch.
  await page.goto(`/agents/${ids[0]}`);
  const shared = page.getByRole("region", { name: "What it shares" });
  await expect(shared).toContainText(key);
  await shared.getByRole("link", { name: "3 agents use it" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(key);
  const touches = page.getByRole("region", { name: "What it touches" });
  await expect(touches.getByRole("link", { name: /Paused by Muster/ })).toContainText("2");
  await touches.getByRole("link", { name: /Need a person/ }).click();
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await page.getByRole("link", { name: /^Remove Show/ }).click();
  await expect(page.locator("tbody tr")).toHaveCount(3);

  // One deliberate press, one reason.
  await page.getByText("Stop 3 agents…").click();
  await page.getByLabel("More").fill("Found in a public repository.");
  await page.getByRole("button", { name: "Yes, stop 3 agents" }).click();
  await expect(page.getByText("3 agents are stopped", { exact: false }).first()).toBeVisible();
  const row = (name: string) => page.getByRole("row", { name: new RegExp(`^${name} ${js}`) });
  await expect(async () => {
    await page.reload();
    await expect(row("Shown")).toContainText("Pause: stopped", { timeout: 500 });
    await expect(row("Refusing")).toContainText("Pause: refused", { timeout: 500 });
  }).toPass({ timeout: 15_000 });
  await expect(row("By hand")).toContainText("A person must pause it");
  expect(hooks.calls.map((call) => call.path).sort()).toEqual(["/broken", "/stop"]);
  expect(hooks.calls.every((call) => call.body.drill === false)).toBe(true);
  if (js) {
    await axe(page);
    await axe(page, "dark");
    await fits(page);
    await page.setViewportSize({ width: 1440, height: 900 });
  }

  // The card says what failed, and the reason that was given once.
  await row("Refusing").getByRole("link", { name: /^Stopped/ }).click();
  const card = page.getByRole("region", { name: "The last stop" });
  await expect(card).toContainText("down for maintenance");
  await expect(card).toContainText("Found in a public repository.");
  hooks.close();
});
