import { rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { TestContext } from "node:test";
import { runDirOf } from "../src/layout.ts";
import { findOwned } from "../src/processes/owned-processes.ts";
import { startStack, type RunningStack, type StackOptions } from "../src/start-stack.ts";
import type { StackState } from "../src/state/stack-state.ts";

/** A stack's name for one test; its folder is removed at the test's end. */
export function nameStack(t: TestContext, what: string): string {
  const name = `test-${what}-${String(process.pid)}`;
  t.after(() => {
    rmSync(runDirOf(name), { recursive: true, force: true });
  });
  return name;
}

/** A stack that is stopped at the test's end and whose folder is removed after that. */
export async function startTestStack(
  t: TestContext,
  name: string,
  options: Omit<StackOptions, "name"> = {},
): Promise<RunningStack> {
  const stack = await startStack({ name, parts: ["temporal"], ...options });
  t.after(async () => {
    await stack.stop();
    rmSync(runDirOf(name), { recursive: true, force: true });
  });
  return stack;
}

/** Every running process of a stack, by the same three ways that the guardian uses. */
export function listProcesses(state: StackState): number[] {
  const leaders = state.parts.flatMap((part) => part.process ?? []);
  return findOwned({ marker: state.marker, leaders }).map(({ pid }) => pid);
}

/** Asks again and again until the answer is yes. @throws Error with `what` after `withinMs`. */
export async function waitUntil(what: string, isSo: () => boolean, withinMs = 8_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`not within ${String(withinMs)} ms: ${what}`);
    await delay(25);
  }
}
