import { rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { stateFileOf } from "../layout.ts";
import { sendSignal } from "../processes/owned-processes.ts";
import { isRunning } from "../processes/process-table.ts";
import { clearLeftovers } from "../state/leftovers.ts";
import { readState } from "../state/state-file.ts";

/** Longer than the slowest part may take, orchestrator and the rest one after the other. */
const stopWithinMs = 45_000;

/**
 * Stops the stack of this name, whether it is well, starting or crashed; nothing to stop is no error.
 * @returns the exit status.
 */
export async function down(name: string): Promise<number> {
  const state = readState(stateFileOf(name));
  if (state === undefined) {
    process.stdout.write(`The stack "${name}" is not running.\n`);
    return 0;
  }
  const deadline = performance.now() + stopWithinMs;
  if (isRunning(state.owner)) {
    process.stdout.write(`stopping the stack "${name}" ...\n`);
    sendSignal(state.owner.pid, "SIGTERM");
  }
  while (isRunning(state.owner)) {
    // Its guardian then kills the parts, and we make sure below.
    if (performance.now() > deadline) sendSignal(state.owner.pid, "SIGKILL");
    await delay(100);
  }
  await clearLeftovers(readState(stateFileOf(name)) ?? state);
  rmSync(stateFileOf(name), { force: true });
  process.stdout.write(`The stack "${name}" is down; its data stays.\n`);
  return 0;
}
