/** Program: `soma`, the command line of the Soma orchestrator. */
import { CommanderError } from "commander";
import { describeError } from "./describe-error.ts";
import { exitCodes } from "./exit-codes.ts";
import { openTerminal } from "./output/terminal.ts";
import { buildProgram } from "./program.ts";

// A reader that has seen enough, as `head` does, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.ok.code);
  throw error;
});

try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said what is wrong; help and version are not errors.
    process.exitCode = error.exitCode === 0 ? exitCodes.ok.code : exitCodes.usage.code;
  } else {
    const { exit, text } = describeError(error);
    openTerminal().say(text);
    process.exitCode = exitCodes[exit].code;
  }
}
