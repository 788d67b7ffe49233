import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/**
 * Runs a writer, killed after `killAfterMs` of its first acknowledgement when given; gives what was acknowledged.
 *
 * @param program a file beside this one that prints a sequence and an id for each acknowledgement
 */
export async function runWriter(
  args: readonly string[],
  killAfterMs?: number,
  program: "append-child.ts" | "budget-child.ts" = "append-child.ts",
): Promise<Map<number, string>> {
  const script = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "inherit"] });
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
