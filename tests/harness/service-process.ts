import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { compileCache, root } from "../../scripts/stack/src/layout.ts";
import { until } from "./until.ts";

/** Where a test registers what must happen at its end, however it ends. */
export interface Owner {
  after(clean: () => Promise<void>): void;
}

export interface LogLine {
  readonly level?: string;
  readonly msg?: string;
  readonly url?: string;
  readonly dependency?: string;
  readonly address?: string;
  readonly code?: string;
}

/** A service of ours as a real process of a test's own. */
export interface ServiceProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Every line that it wrote, as it came. */
  readonly lines: readonly string[];
  /** Log lines as objects, those that are JSON. */
  log(): LogLine[];
  /** SIGTERM, then its exit code. */
  stop(): Promise<number | null>;
}

interface Launch {
  readonly name: string;
  /** Relative to the checkout. */
  readonly file: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Called once the process has ended because it was stopped. */
  readonly afterStop?: () => void;
}

/** Starts one; resolves when it has said where it listens. */
export async function startServiceProcess(owner: Owner, launch: Launch): Promise<ServiceProcess> {
  const { name, file, args = [], env, afterStop } = launch;
  const child = spawn(process.execPath, [file, ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], ...compileCache, HOST: "127.0.0.1", PORT: "0", ...env },
  });
  const stop = async (): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      const killer = setTimeout(() => child.kill("SIGKILL"), 20_000);
      await exited;
      clearTimeout(killer);
    }
    afterStop?.();
    return child.exitCode;
  };
  owner.after(async () => {
    await stop();
  });
  const lines: string[] = [];
  child.once("exit", (code) => {
    // What it said last is what explains the test that fails now.
    if (code !== 0) process.stderr.write(`${name} ended with ${String(code)}\n${lines.slice(-20).join("\n")}\n`);
  });
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => lines.push(line));
  const log = (): LogLine[] =>
    lines.flatMap((line) => {
      if (!line.startsWith("{")) return [];
      const parsed: LogLine = JSON.parse(line);
      return [parsed];
    });
  const url = await until(`${name} listens`, () => {
    if (child.exitCode !== null) throw new Error(`it ended with ${String(child.exitCode)}: ${lines.join("\n")}`);
    return log().find((line) => line.url !== undefined)?.url;
  });
  return { url, child, lines, log, stop };
}
