import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { until } from "../../../tests/harness/until.ts";

const bin = fileURLToPath(new URL("../../../node_modules/.bin", import.meta.url));

/** A program at a real terminal, with somebody who types. */
export interface AtTerminal {
  type(text: string): void;
  /** Resolves once the terminal has shown this since it was last waited for. */
  shows(pattern: RegExp): Promise<string>;
  /** Its exit code. */
  ended(): Promise<number | null>;
}

/** Ctrl-C and Ctrl-D, as a keyboard sends them. */
export const interruptKey = "\u0003";
export const endKey = "\u0004";

/** Runs a command of the shell at a pseudo terminal, which `script` (util-linux) makes; it ends with the test. */
export function runAtTerminal(command: string, env: Readonly<Record<string, string>>): AtTerminal & Disposable {
  const child = spawn("script", ["-qefc", command, "/dev/null"], {
    env: { PATH: `${bin}:${process.env["PATH"] ?? ""}`, TERM: "dumb", NO_COLOR: "1", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  let shown = "";
  let seen = 0;
  child.stdin.on("error", () => undefined);
  child.stdout.on("data", (bytes: Buffer) => {
    shown += bytes.toString();
  });
  return {
    type: (text) => void child.stdin.write(text),
    shows: (pattern) =>
      until(
        `the terminal shows ${String(pattern)}`,
        () => {
          const text = stripVTControlCharacters(shown.slice(seen));
          if (!pattern.test(text)) return Promise.resolve(undefined);
          seen = shown.length;
          return Promise.resolve(text);
        },
        60_000,
      ).catch((error: unknown) => {
        throw new Error(`shown: ${shown}`, { cause: error });
      }),
    async ended() {
      await closed;
      return child.exitCode;
    },
    [Symbol.dispose]() {
      child.kill("SIGKILL");
    },
  };
}
