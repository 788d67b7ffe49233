import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { CliError } from "./exit-codes.ts";

/** A program of the checkout that this command line belongs to; it is run, and never loaded. @throws CliError. */
export function toolFile(path: string): string {
  const file = fileURLToPath(new URL(`../../../${path}`, import.meta.url));
  if (!existsSync(file)) throw new CliError("failure", `${path} is not here: this command needs the whole checkout.`);
  return file;
}

/** How a program ended, and what it said. */
export interface ToolResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program on this Node, with no variable but the path, and feeds it the input as it comes. */
export async function runTool(
  file: string,
  args: readonly string[],
  input?: AsyncIterable<string>,
): Promise<ToolResult> {
  const child = spawn(process.execPath, [file, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] },
  });
  const ended = once(child, "close");
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  try {
    if (input) await pipeline(Readable.from(input), child.stdin);
    else child.stdin.end();
  } catch (error) {
    // A program that ends early has seen enough and says why itself; an input that fails is the caller's.
    if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) {
      child.kill();
      throw error;
    }
  }
  await ended;
  const [stdout, stderr] = await output;
  return { code: child.exitCode, stdout, stderr };
}
