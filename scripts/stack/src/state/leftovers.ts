import { rmSync } from "node:fs";
import { killOwned } from "../processes/owned-processes.ts";
import type { StackState } from "./stack-state.ts";

/**
 * Ends what is left of a stack whose owner is gone. Normally the guardian has done so; this is for the case that it
 * was killed, too. Processes that merely have the same pids are not touched.
 */
export async function clearLeftovers(state: StackState): Promise<void> {
  const leaders = state.parts.flatMap((part) => part.process ?? []);
  await killOwned({ marker: state.marker, leaders });
  rmSync(state.rayDir, { recursive: true, force: true });
}
