import { stateFileOf } from "../layout.ts";
import { isRunning } from "../processes/process-table.ts";
import { describePart } from "../progress.ts";
import { readState } from "../state/state-file.ts";
import { isReady } from "../state/stack-state.ts";

/** Exit status of a service manager for "not running" (LSB). */
const notRunning = 3;

/**
 * Shows what the stack's owner last wrote about its parts.
 * @returns the exit status: 0 when all parts are ready, 1 when some are not, 3 when the stack does not run.
 */
export function showStatus(name: string, json: boolean): number {
  const state = readState(stateFileOf(name));
  const running = state !== undefined && isRunning(state.owner);
  if (json)
    process.stdout.write(`${JSON.stringify({ running, ...(state !== undefined && { state }) }, undefined, 2)}\n`);
  if (state === undefined) {
    if (!json) process.stdout.write(`The stack "${name}" is not running.\n`);
    return notRunning;
  }
  if (!running) {
    if (!json)
      process.stdout.write(`The stack "${name}" has ended without a word; make dev-down or dev-up cleans up.\n`);
    return notRunning;
  }
  if (!json) {
    for (const part of state.parts) {
      const restarts = part.restarts === 0 ? "" : `  (restarted ${String(part.restarts)} times)`;
      process.stdout.write(`${describePart(part)}${restarts}\n`);
    }
    if (state.temporalUi !== undefined) process.stdout.write(`  Temporal UI: ${state.temporalUi}\n`);
  }
  return isReady(state) ? 0 : 1;
}
