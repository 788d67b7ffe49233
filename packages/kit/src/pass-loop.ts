import { setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "./domain-error.ts";
import type { Logger } from "./logger.ts";

interface PassLoopOptions {
  /** One look at what is to be done. */
  readonly pass: () => Promise<void>;
  /** Between two; each adds up to a third, so that several processes do not look at the same moment. */
  readonly intervalMs: number;
  readonly log: Logger;
  /** What the log says of a pass that failed for a reason that nobody foresaw. */
  readonly failed: string;
}

/** One pass after the other, from the start until it is stopped. */
export class PassLoop {
  readonly #options: PassLoopOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: PassLoopOptions) {
    this.#options = options;
  }

  /** True once it is to end: a long pass looks here. */
  get isStopping(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Returns at once. */
  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when the last pass has ended. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { pass, intervalMs, log, failed } = this.#options;
    const { signal } = this.#stop;
    for (;;) {
      await sleep(intervalMs * (1 + Math.random() / 3), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await pass();
      } catch (error) {
        // That something is away is said by the dependency watch, and the next pass comes soon.
        if (!(error instanceof DomainError)) log.error({ err: error }, failed);
      }
    }
  }
}
