import type { AuditEvent } from "@soma/contracts/audit";
import { isTenantEvent } from "@soma/contracts/tenant-events";
import type { Logger } from "@soma/kit/logger";
import type { Ledger } from "../ledger/ledger.ts";

/** How long an event of another process may stay unseen, in milliseconds. */
const pollMs = 150;
const pageSize = 500;

/** Takes events of one session that follow one another; the list is the same object for all who listen to the session. */
type Listener = (events: readonly AuditEvent[]) => void;

/**
 * One reader of the ledger's tail for all streams of a process: woken by appends of its own, polling for those of
 * others, at rest while nobody listens.
 */
export class EventTail {
  readonly #ledger: Ledger;
  readonly #log: Logger;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #unsubscribe: () => void;
  #position = 0;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> | undefined;
  #again = false;

  constructor(ledger: Ledger, log: Logger) {
    this.#ledger = ledger;
    this.#log = log;
    this.#unsubscribe = ledger.onAppend(() => {
      if (this.#listeners.size > 0) this.#wake();
    });
  }

  /**
   * Delivers every event of a session that is appended from now on, in order; earlier ones may come again.
   * Returns the function that ends the subscription.
   */
  async subscribe(sessionId: string, listener: Listener): Promise<() => void> {
    if (this.#listeners.size === 0) {
      const position = await this.#ledger.lastPosition();
      if (this.#listeners.size === 0) this.#position = position;
    }
    const listeners = this.#listeners.get(sessionId) ?? new Set();
    this.#listeners.set(sessionId, listeners.add(listener));
    this.#timer ??= setInterval(() => {
      this.#wake();
    }, pollMs);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(sessionId) === listeners) this.#listeners.delete(sessionId);
      if (this.#listeners.size === 0) this.#rest();
    };
  }

  /** Resolves when the listeners have been given what was appended, by any process, before this was called. */
  async flush(): Promise<void> {
    this.#wake();
    await this.#reading;
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    this.#listeners.clear();
    this.#rest();
    await this.#reading;
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #wake(): void {
    this.#again = true;
    this.#reading ??= this.#drain().finally(() => {
      this.#reading = undefined;
    });
  }

  async #drain(): Promise<void> {
    while (this.#again && this.#listeners.size > 0) {
      this.#again = false;
      try {
        const events = await this.#ledger.tail({ afterPosition: this.#position, limit: pageSize });
        const bySession = Map.groupBy(
          events.flatMap(({ event }) => (isTenantEvent(event) ? [] : [event])),
          ({ subject }) => subject,
        );
        this.#position = events.at(-1)?.position ?? this.#position;
        for (const [sessionId, batch] of bySession)
          for (const listener of this.#listeners.get(sessionId) ?? []) listener(batch);
        if (events.length === pageSize) this.#again = true;
      } catch (error) {
        // The next poll tries again; a stream that waits loses nothing.
        this.#log.warn({ err: error }, "the ledger's tail could not be read");
      }
    }
  }
}
