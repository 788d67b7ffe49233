import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const programs = {
  appends: fileURLToPath(new URL("./append-child.ts", import.meta.url)),
  budgets: fileURLToPath(new URL("./budget-child.ts", import.meta.url)),
};

/**
 * Runs a writer, killed after `killAfterMs` of its first acknowledgement when given; gives what was acknowledged.
 */
export async function runWriter(
  args: readonly string[],
  killAfterMs?: number,
  program: keyof typeof programs = "appends",
): Promise<Map<number, string>> {
  const child = spawn(process.execPath, [programs[program], ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  let output = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (chunk: string) => (output += chunk));
  const ended = once(child.stdout, "end");
  if (killAfterMs !== undefined) {
    await Promise.race([once(child.stdout, "data"), exited]);
    await setTimeout(killAfterMs);
    child.kill("SIGKILL");
  }
  const [code, signal]: unknown[] = await exited;
  await ended;
  assert.deepEqual([code, signal], killAfterMs === undefined ? [0, null] : [null, "SIGKILL"]);
  // A kill may cut the last line; only a whole line acknowledges.
  const lines = output.slice(0, output.lastIndexOf("\n")).split("\n");
  return new Map(
    lines.map((line) => {
      const [sequence, id = ""] = line.split(" ");
      return [Number(sequence), id];
    }),
  );
}
