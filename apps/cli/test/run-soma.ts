import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { compileCache } from "../../../scripts/stack/src/layout.ts";
import type { Owner } from "../../../tests/harness/service-process.ts";

const bin = fileURLToPath(new URL("../../../node_modules/.bin/soma", import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Shown each piece of standard error, and the process. */
  readonly onSaid?: (said: string, interrupt: () => void) => void;
}

/** The command line as somebody types it: the program that npm links, in a home of the test's own. */
export interface Shell {
  readonly home: string;
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** Runs it with `--json` and gives what it answered; demands exit code 0. */
  json(args: readonly string[], options?: RunOptions): Promise<unknown>;
}

export function openShell(owner: Owner, variables: Readonly<Record<string, string>> = {}): Shell {
  const home = mkdtempSync(join(tmpdir(), "soma-home-"));
  owner.after(async () => {
    await Promise.resolve(rmSync(home, { recursive: true, force: true }));
  });
  const shell: Shell = {
    home,
    async run(args, { env = {}, input = "", onSaid } = {}) {
      const child = spawn(bin, args, {
        env: { PATH: process.env["PATH"], HOME: home, ...compileCache, ...variables, ...env },
        stdio: ["pipe", "pipe", "pipe"],
        cwd: home,
      });
      child.stdin.on("error", () => undefined);
      child.stdin.end(input);
      child.stderr.on("data", (bytes: Buffer) => onSaid?.(bytes.toString(), () => child.kill("SIGINT")));
      const ended = once(child, "close");
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
      await ended;
      return { code: child.exitCode, stdout, stderr };
    },
    async json(args, options) {
      const { code, stdout, stderr } = await shell.run([...args, "--json"], options);
      if (code !== 0) throw new Error(`soma ${args.join(" ")}: ${String(code)} ${stderr}`);
      const answer: unknown = JSON.parse(stdout);
      return answer;
    },
  };
  return shell;
}
