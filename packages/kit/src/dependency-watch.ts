import type { Logger } from "./logger.ts";
import type { Gauge } from "./metrics.ts";

/** Between a first failure and the question that decides. */
const secondTryMs = 250;

/** One thing that a service needs: how to ask whether it is there, and where it is. */
export interface WatchedDependency<Name extends string> {
  readonly name: Name;
  /** Shown in the log, so without credentials. */
  readonly address: string;
  /** Resolves when it is there, rejects when not; must end by itself when the signal fires. */
  check(signal: AbortSignal): Promise<void>;
}

interface WatchOptions {
  readonly log: Logger;
  readonly up: Gauge<"dependency">;
  readonly intervalMs?: number;
  readonly deadlineMs?: number;
}

/**
 * Asks each dependency again and again, logs once when it is lost (naming which and where) and once when it is back,
 * and answers `missing()` from what it saw last. A dependency that was never seen counts as missing, so that nothing
 * is ready before it was shown to be.
 */
export class DependencyWatch<Name extends string> {
  readonly #dependencies: readonly WatchedDependency<Name>[];
  readonly #options: WatchOptions;
  readonly #lostAt = new Map<Name, number>();
  readonly #seen = new Set<Name>();
  readonly #stop = new AbortController();
  #loops: Promise<void>[] = [];

  constructor(dependencies: readonly WatchedDependency<Name>[], options: WatchOptions) {
    this.#dependencies = dependencies;
    this.#options = options;
  }

  /** Starts one loop for each dependency and resolves after the first answer of all. */
  async start(): Promise<void> {
    await Promise.all(this.#dependencies.map((dependency) => this.#ask(dependency)));
    this.#loops = this.#dependencies.map((dependency) => this.#loop(dependency));
  }

  /** What is not there now, with its address. */
  missing(): { name: Name; address: string }[] {
    return this.#dependencies
      .filter(({ name }) => !this.#seen.has(name) || this.#lostAt.has(name))
      .map(({ name, address }) => ({ name, address }));
  }

  isUp(name: Name): boolean {
    return this.#seen.has(name) && !this.#lostAt.has(name);
  }

  /** What was lost, and when that was seen; one that was never there has no such time. */
  outages(): { name: Name; since?: Date }[] {
    return this.missing().map(({ name }) => {
      const lostAt = this.#lostAt.get(name);
      return lostAt === undefined ? { name } : { name, since: new Date(lostAt) };
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
  }

  async #loop(dependency: WatchedDependency<Name>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await pause(this.#options.intervalMs ?? 2_000, signal);
      if (!signal.aborted) await this.#ask(dependency);
    }
  }

  /** One slow answer is no outage: what was there a moment ago is asked twice before it counts as lost. */
  async #ask(dependency: WatchedDependency<Name>): Promise<void> {
    const { signal } = this.#stop;
    for (let tries = this.isUp(dependency.name) ? 2 : 1; ; tries -= 1) {
      try {
        const deadline = AbortSignal.timeout(this.#options.deadlineMs ?? 1_000);
        await dependency.check(AbortSignal.any([deadline, signal]));
        return this.#found(dependency);
      } catch (error) {
        if (signal.aborted) return;
        if (tries === 1) return this.#lost(dependency, error);
      }
      await pause(secondTryMs, signal);
      if (signal.aborted) return;
    }
  }

  #found({ name, address }: WatchedDependency<Name>): void {
    const { log, up } = this.#options;
    const lostAt = this.#lostAt.get(name);
    up.set({ dependency: name }, 1);
    this.#seen.add(name);
    if (lostAt === undefined) return;
    this.#lostAt.delete(name);
    log.info({ dependency: name, address, outage_ms: Date.now() - lostAt }, `${name} at ${address} is back`);
  }

  #lost({ name, address }: WatchedDependency<Name>, error: unknown): void {
    const { log, up } = this.#options;
    up.set({ dependency: name }, 0);
    if (this.#lostAt.has(name)) return;
    this.#lostAt.set(name, Date.now());
    log.error({ dependency: name, address, err: error }, `${name} at ${address} cannot be reached; waiting for it`);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
