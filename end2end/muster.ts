// One Muster of its own: the real binary, a database in a temporary folder.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const BINARY = process.env.MUSTER_BINARY ?? join(import.meta.dirname, "../target/release/muster");

export type Role = "administrator" | "security-lead" | "risk-analyst" | "member" | "auditor";

/** Somebody who may sign in. */
export interface Account {
  email: string;
  password: string;
  roles: Role[];
}

export class Muster {
  readonly url: string;
  /** Everything printed so far: both streams, as it came. */
  output = "";
  /** The demonstration's sign-ins, in the order they were printed. */
  readonly accounts: Account[] = [];
  private readonly process: ChildProcess;
  private readonly folder: string;
  private readonly ended: Promise<number | string>;
  private exit?: number | string;

  private constructor(url: string, folder: string, process: ChildProcess) {
    this.url = url;
    this.folder = folder;
    this.process = process;
    this.ended = new Promise((resolve) => {
      process.once("error", (error) => resolve((this.exit = error.message)));
      process.once("exit", (code, signal) => resolve((this.exit = code ?? signal ?? "unknown")));
    });
    let rest = "";
    process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.output += text;
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach((line) => this.hear(line));
    });
    process.stderr?.setEncoding("utf8").on("data", (text: string) => (this.output += text));
  }

  /** Starts one, and answers when it is ready. */
  static async start(options: { demo?: boolean; env?: Record<string, string> } = {}): Promise<Muster> {
    const folder = await mkdtemp(join(tmpdir(), "muster-e2e-"));
    const address = `127.0.0.1:${await freePort()}`;
    const database = `sqlite://${join(folder, "muster.db")}`;
    const args = ["serve", "--listen", address, "--database", database];
    if (options.demo ?? true) args.push("--demo");
    const process_ = spawn(BINARY, args, {
      // Not the repository: the binary serves from any folder, and a `.env` of
      // somebody's own must not reach the tests.
      cwd: folder,
      env: { ...withoutMuster(process.env), ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const muster = new Muster(`http://${address}`, folder, process_);
    try {
      await muster.ready();
    } catch (error) {
      await muster.remove();
      throw error;
    }
    return muster;
  }

  /** The first account that has the role. */
  account(role: Role): Account {
    const account = this.accounts.find((account) => account.roles.includes(role));
    if (account) return account;
    throw new Error(`nobody in the demonstration is ${role}; it printed:\n${this.output}`);
  }

  /** Runs another command on the same database, as an operator would beside the running server. */
  async command(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const child = spawn(BINARY, args, {
      cwd: this.folder,
      env: { ...withoutMuster(process.env), MUSTER_DATABASE_URL: `sqlite://${join(this.folder, "muster.db")}` },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? -1));
    });
    return { code, stdout, stderr };
  }

  /** Why nothing more can be asked of it, if it is so. */
  trouble(): string | undefined {
    if (this.exit !== undefined) return `muster ended (${this.exit}):\n${this.output}`;
    if (this.output.includes("panicked at")) return `muster panicked:\n${this.output}`;
    return undefined;
  }

  /** Asks it to stop, as an operator would, and removes its folder. */
  async stop(): Promise<void> {
    const trouble = this.trouble();
    this.process.kill("SIGTERM");
    const late = new Promise<string>((resolve) => setTimeout(resolve, 15_000, "late").unref());
    const end = await Promise.race([this.ended, late]);
    await this.remove();
    if (trouble) throw new Error(trouble);
    if (end !== 0) throw new Error(`muster did not stop well on SIGTERM (${end}):\n${this.output}`);
  }

  private async remove(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.ended;
    await rm(this.folder, { recursive: true, force: true });
  }

  private hear(line: string): void {
    const [word, email, password, ...roles] = line.trim().split(/[\s,]+/);
    if (word === "demo" && email && password) this.accounts.push({ email, password, roles: roles as Role[] });
  }

  private async ready(): Promise<void> {
    for (const end = Date.now() + 60_000; Date.now() < end; ) {
      if (this.exit !== undefined) throw new Error(`muster did not start (${this.exit}):\n${this.output}`);
      const answer = await fetch(`${this.url}/readyz`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`muster was not ready within a minute:\n${this.output}`);
  }
}

/** The environment less what would change Muster's settings. */
function withoutMuster(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("MUSTER_")));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (address && typeof address === "object" ? resolve(address.port) : reject(address)));
    });
  });
}
