import type { Logger } from "@soma/kit/logger";
import type { RelayStore } from "../ledger/relay-store.ts";
import type { RelayMetrics } from "./relay-metrics.ts";

const readEveryMs = 1_000;

interface BacklogOptions {
  readonly store: RelayStore;
  readonly metrics: Pick<RelayMetrics, "backlog" | "lagSeconds">;
  readonly log: Logger;
  /** As many waiting events are too many. */
  readonly max: number;
}

/** How much of the ledger waits for Kafka, read from the database once a second: any process may be the one that delivers. */
export class BacklogWatch {
  readonly #options: BacklogOptions;
  #events = 0;
  #full = false;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  /** Resolves after the first reading. */
  async start(): Promise<void> {
    await this.#read();
    this.#timer = setInterval(() => {
      this.#reading = this.#reading.then(() => this.#read());
    }, readEveryMs);
  }

  /** True while so many events wait that no session may be started. */
  isFull(): boolean {
    return this.#full;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reading;
  }

  /** With the database away the last answer stands: a start is refused anyway then. */
  async #read(): Promise<void> {
    const { store, metrics } = this.#options;
    try {
      const { cursor, newest, oldestTime } = await store.backlog();
      this.#events = Math.max(0, newest - cursor);
      metrics.backlog.set(this.#events);
      metrics.lagSeconds.set(oldestTime === undefined ? 0 : Math.max(0, (Date.now() - Date.parse(oldestTime)) / 1_000));
      this.#judge();
    } catch {
      // The dependency watch has said so already.
    }
  }

  #judge(): void {
    const { log, max } = this.#options;
    const full = this.#events >= max;
    if (full === this.#full) return;
    this.#full = full;
    const count = this.#events;
    if (full) log.error({ count, dependency: "kafka" }, "too many events wait for Kafka; no session is started");
    else log.info({ count, dependency: "kafka" }, "the backlog has room again; sessions are started");
  }
}
