import { createInterface } from "node:readline/promises";
import { CliError } from "./exit-codes.ts";
import type { Terminal } from "./output/terminal.ts";

/**
 * Goes on only when a person says yes, or `--yes` did.
 * @throws CliError when he says anything else, or when nobody can be asked
 */
export async function assertConfirmed(terminal: Terminal, question: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!terminal.canAsk) throw new CliError("usage", "Nobody can be asked here.", "look at it, then repeat with --yes");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const stop = new AbortController();
  for (const event of ["SIGINT", "close"] as const)
    lines.once(event, () => {
      stop.abort();
    });
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal: stop.signal });
    if (!/^y(es)?$/i.test(answer.trim())) throw new CliError("failure", "Nothing was changed.");
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    terminal.say("\n");
    throw new CliError("interrupted", "Nothing was changed.");
  } finally {
    lines.close();
  }
}
