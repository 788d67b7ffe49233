import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readRecord, readText } from "../json-fields.ts";
import { assertSetUp, runDirOf, stateFileOf } from "../layout.ts";
import { isRunning } from "../processes/process-table.ts";
import { Progress } from "../progress.ts";
import { parseState, readState } from "../state/state-file.ts";
import { isReady, type StackState } from "../state/stack-state.ts";
import { describeAddresses } from "./addresses.ts";
import { showStatus } from "./status.ts";

/**
 * Starts the stack under a detached owner and returns when all parts are ready. Says so when it is up already.
 * @param forwarded the command line's options, for the owner to read once more.
 * @returns the exit status.
 */
export async function up(name: string, forwarded: readonly string[]): Promise<number> {
  assertSetUp();
  const known = readState(stateFileOf(name));
  if (known !== undefined && isRunning(known.owner)) {
    process.stdout.write(`The stack "${name}" is up already, since ${known.startedAt}.\n`);
    return showStatus(name, false);
  }
  mkdirSync(runDirOf(name), { recursive: true, mode: 0o700 });
  const logFile = `${runDirOf(name)}/owner.log`;
  const log = openSync(logFile, "w");
  const program = fileURLToPath(new URL("../main.ts", import.meta.url));
  const owner = spawn(process.execPath, [program, "supervise", ...forwarded], {
    stdio: ["ignore", log, log, "ipc"],
    detached: true,
  });
  closeSync(log);
  const progress = new Progress();
  let state: StackState | undefined;
  let failure: string | undefined;
  let interrupted = false;
  process.on("SIGINT", () => {
    interrupted = true;
    process.stdout.write("\nstopping what was started ...\n");
    owner.kill("SIGTERM");
  });
  owner.on("message", (message: unknown) => {
    const kind = readText(message, "kind");
    if (kind === "failed") failure = readText(message, "message");
    if (kind !== "state") return;
    state = parseState(readRecord(message, "state"));
    progress.show(state);
  });
  // The owner lets go of the channel when all is ready, and loses it when it ends.
  await once(owner, "disconnect");
  progress.end();
  if (!interrupted && failure === undefined && state !== undefined && isReady(state)) {
    owner.unref();
    process.stdout.write(`\nThe stack "${name}" is up.\n${describeAddresses(state)}\n`);
    if (name === "dev") process.stdout.write("Its state: make dev-status. Its end: make dev-down.\n");
    process.stdout.write(`Its logs: ${runDirOf(name)}/logs\n`);
    return 0;
  }
  if (owner.exitCode === null && owner.signalCode === null) await once(owner, "exit");
  process.stderr.write(interrupted ? "Stopped.\n" : `\n${failure ?? `The stack ended at its start; see ${logFile}`}\n`);
  return interrupted ? 130 : 1;
}
