import type { Logger } from "@soma/kit/logger";
import type { Delta } from "@soma/contracts/session-stream";
import { stepKeys } from "../activities/step-events.ts";
import type { Ledger, SessionKey } from "../ledger/ledger.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import type { Deltas } from "./open-deltas.ts";
import { openPiece, readStoredTexts } from "./stored-texts.ts";

/** How long a piece that another process has stored may stay unseen, in milliseconds: as the ledger's tail. */
const pollMs = 150;
const pageSize = 500;

/** Brings the texts that other processes make to the readers of this one; at rest while nobody follows a session. */
export class DeltaTail {
  readonly #deltas: Deltas;
  readonly #ledger: Ledger;
  readonly #log: Logger;
  /** Sessions that are followed, by how many. */
  readonly #followed = new Map<string, number>();
  /** What a first follower waits for, and the others with him. */
  readonly #loads = new Map<string, Promise<void>>();
  #position = 0;
  /** Resolves when the position is one that no follower's piece is behind. */
  #standing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> | undefined;

  constructor(deltas: Deltas, ledger: Ledger, log: Logger) {
    this.#deltas = deltas;
    this.#ledger = ledger;
    this.#log = log;
  }

  /**
   * Calls back with what a session's running texts grow by; what is there already is in the hub when this resolves.
   * Returns the function that ends the following. A store that cannot be read leaves readers the texts' ends.
   */
  async follow(row: SessionRow, listener: (growth: Delta) => void): Promise<() => void> {
    const { session_id: id } = row;
    const count = this.#followed.get(id) ?? 0;
    this.#followed.set(id, count + 1);
    const unsubscribe = this.#deltas.hub.subscribe(id, listener);
    if (count === 0) {
      const load = this.#begin(row).finally(() => {
        if (this.#loads.get(id) === load) this.#loads.delete(id);
      });
      this.#loads.set(id, load);
    }
    await this.#loads.get(id);
    let following = true;
    return () => {
      if (!following) return;
      following = false;
      unsubscribe();
      const left = (this.#followed.get(id) ?? 1) - 1;
      if (left > 0) this.#followed.set(id, left);
      else this.#followed.delete(id);
      if (this.#followed.size === 0) this.#rest();
    };
  }

  async close(): Promise<void> {
    this.#followed.clear();
    this.#rest();
    await this.#reading;
  }

  /** Stands in the tail before the session is read: what is stored in between comes by one way or the other. */
  async #begin(row: SessionRow): Promise<void> {
    try {
      await (this.#standing ??= this.#stand());
      await this.#load({ tenant: row.tenant, sessionId: row.session_id });
    } catch (error) {
      this.#warn(error);
    }
    if (this.#followed.size === 0) return;
    this.#timer ??= setInterval(() => {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined;
      });
    }, pollMs);
  }

  async #stand(): Promise<void> {
    this.#position = await this.#deltas.store.lastPosition().catch((error: unknown) => {
      this.#warn(error);
      return 0;
    });
  }

  async #load({ tenant, sessionId }: SessionKey): Promise<void> {
    for (const [step, { attempt, text }] of await readStoredTexts(this.#deltas, { tenant, sessionId })) {
      // What a process that died has left of a step that has ended since.
      const outcomes = [stepKeys.completed(step), stepKeys.failed(step)];
      const found = await Promise.all(outcomes.map((key) => this.#ledger.findEvent(tenant, sessionId, key)));
      if (found.some((event) => event !== undefined)) this.#deltas.hub.end(sessionId, step);
      else this.#deltas.hub.publish(sessionId, { step, attempt, offset: 0, text });
    }
  }

  async #read(): Promise<void> {
    const { store, hub, writer } = this.#deltas;
    try {
      for (;;) {
        const pieces = await store.tail({ after: this.#position, notOf: writer, limit: pageSize });
        const holed = new Map<string, SessionKey>();
        for (const stored of pieces) {
          const { sessionId, tenant } = stored;
          if (!this.#followed.has(sessionId)) continue;
          const piece = await openPiece(this.#deltas, stored);
          if (piece !== undefined && !hub.publish(sessionId, piece)) holed.set(sessionId, { tenant, sessionId });
        }
        this.#position = pieces.at(-1)?.position ?? this.#position;
        // A piece before these was stored while nobody looked, or by another way: the store has it all.
        for (const session of holed.values()) await this.#load(session);
        if (pieces.length < pageSize) return;
      }
    } catch (error) {
      // The next poll tries again; a stream that waits loses nothing.
      this.#warn(error);
    }
  }

  #warn(error: unknown): void {
    this.#log.warn({ err: error }, "running texts of other processes could not be read");
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#standing = undefined;
  }
}
