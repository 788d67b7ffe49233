import type { Logger } from "@soma/kit/logger";
import type { MemoryMetrics } from "../memory-metrics.ts";
import type { MemoryStore } from "../store/memory-store.ts";

const batch = 200;

interface SweeperOptions {
  readonly store: Pick<MemoryStore, "sweep">;
  readonly log: Logger;
  readonly metrics: Pick<MemoryMetrics, "expired">;
  readonly now: () => number;
  readonly everyMs: number;
}

/** Removes from time to time what has expired; nobody gets it before that either. */
export class Sweeper {
  readonly #options: SweeperOptions;
  #timer: NodeJS.Timeout | undefined;
  #under: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#under = this.#sweep();
    }, this.#options.everyMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#under;
  }

  async #sweep(): Promise<void> {
    const { store, log, metrics, now } = this.#options;
    try {
      for (let removed = batch; removed === batch && !this.#stopped;) {
        removed = await store.sweep(now(), batch);
        metrics.expired.inc(removed);
      }
    } catch (error) {
      log.warn({ err: error }, "expired memories could not be removed; tried again later");
    }
    if (!this.#stopped) this.start();
  }
}
