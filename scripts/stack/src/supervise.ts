import { setTimeout as delay } from "node:timers/promises";
import type { PartName } from "./part.ts";
import type { Stack } from "./stack.ts";

const firstPauseMs = 500;
const longestPauseMs = 15_000;
const forgivenAfterMs = 60_000;
const attempts = 8;

/**
 * Restarts parts that end by themselves: after half a second, then after twice as long each time, at most 15 s; a part
 * that stayed up for a minute begins anew, one that failed eight times in a row is given up and shown as failed.
 */
export class Supervisor {
  readonly #log: (line: string) => void;
  readonly #failures = new Map<PartName, { count: number; at: number }>();
  readonly #busy = new Set<PartName>();

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** To be called when a part has ended by itself; resolves when it is back, given up, or the stack stops. */
  async recover(stack: Stack, name: PartName): Promise<void> {
    const { part } = stack.runner(name);
    // Its end follows from another's, whose restart brings both back.
    if (this.#busy.has(name) || part.endsWith.some((other) => this.#busy.has(other))) return;
    this.#busy.add(name);
    try {
      while (!stack.stopping.aborted && !(await this.#attempt(stack, name)));
    } finally {
      this.#busy.delete(name);
    }
  }

  /** One pause and one restart; true when there is nothing left to try. */
  async #attempt(stack: Stack, name: PartName): Promise<boolean> {
    const runner = stack.runner(name);
    const count = this.#countFailure(name);
    if (count > attempts) {
      runner.giveUp(`ended ${String(attempts)} times in a row; not started again`);
      this.#log(`${name}: given up; see ${runner.state.logFile}`);
      return true;
    }
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (count - 1));
    const how = runner.state.note ?? "ended";
    this.#log(
      `${name} ${how}; starting it again in ${String(pauseMs / 1000)} s (${String(count)} of ${String(attempts)})`,
    );
    runner.announceRestart(how);
    await delay(pauseMs, undefined, { signal: stack.stopping }).catch(() => undefined);
    if (stack.stopping.aborted) return true;
    try {
      await stack.restart(name);
      this.#log(`${name} is ready again`);
      return true;
    } catch (error) {
      this.#log(error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  #countFailure(name: PartName): number {
    const now = performance.now();
    const last = this.#failures.get(name);
    const count = last === undefined || now - last.at > forgivenAfterMs ? 1 : last.count + 1;
    this.#failures.set(name, { count, at: now });
    return count;
  }
}
