import { text } from "node:stream/consumers";
import { isCancel, password } from "@clack/prompts";
import { CliError } from "./exit-codes.ts";
import type { Terminal } from "./output/terminal.ts";

/** Reads a secret: asked for without echo where a person can be asked, else all of standard input. @throws CliError. */
export async function readSecret(what: string, terminal: Terminal): Promise<string> {
  const given = terminal.canAsk
    ? await password({ message: `Paste the ${what}`, output: process.stderr })
    : (await text(process.stdin)).trim();
  if (isCancel(given)) throw new CliError("interrupted", "Nothing was changed.");
  if (given === undefined || given === "") throw new CliError("usage", `No ${what} came on standard input.`);
  return given.trim();
}
