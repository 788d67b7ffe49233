import type { DatabaseSync } from "node:sqlite";
import { setImmediate, setTimeout } from "node:timers/promises";
import { auditUnavailable } from "./audit-unavailable.ts";
import { sqliteFailureOf } from "./sqlite-failure.ts";

interface Waiting {
  readonly deadlineMs: number;
  /** Runs the work inside the transaction; what it returns settles the promise and is called after the commit. */
  readonly attempt: () => () => void;
  readonly reject: (reason: unknown) => void;
}

interface GroupCommitOptions {
  /** How many writes may wait; one more is refused. */
  readonly maxWaiting: number;
  /** How many writes share one commit at most. */
  readonly maxGroup: number;
  /** How long a write waits for the lock of another process. */
  readonly timeoutMs: number;
  /** Called before each group; throws when the file must not be written. */
  readonly assertUsable: () => void;
}

/**
 * Puts the writes that wait at the same time into one transaction, each under its own savepoint: one sync of the disk
 * for all of them, and one that is refused leaves the others alone. A promise resolves after COMMIT only.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #options: GroupCommitOptions;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;
  #closed = false;

  constructor(database: DatabaseSync, options: GroupCommitOptions) {
    this.#database = database;
    this.#options = options;
  }

  /**
   * Runs synchronous work in a write transaction. It may run again when the lock was lost, so it must do nothing but
   * speak to the database.
   */
  submit<T>(work: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(auditUnavailable(new Error("the ledger is closed")));
    if (this.#waiting.length >= this.#options.maxWaiting) {
      return Promise.reject(auditUnavailable(new Error(`${this.#waiting.length} writes are waiting`)));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        deadlineMs: performance.now() + this.#options.timeoutMs,
        attempt: () => {
          const value = work();
          return () => resolve(value);
        },
        reject,
      });
      this.#draining ??= this.#drain();
    });
  }

  /** Refuses new writes and waits for those that are queued. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      // One turn of the event loop: whoever is ready now joins this group.
      await setImmediate();
      const group = this.#waiting.splice(0, this.#options.maxGroup);
      const left = this.#commit(group);
      if (left.length > 0) {
        this.#waiting.unshift(...left);
        await setTimeout(2 + Math.random() * 8);
      }
    }
    this.#draining = undefined;
  }

  /** Settles a group, or returns those that may try again because another process holds the lock. */
  #commit(group: readonly Waiting[]): readonly Waiting[] {
    const outcomes: (() => void)[] = [];
    try {
      this.#options.assertUsable();
      this.#database.exec("BEGIN IMMEDIATE");
      for (const waiting of group) outcomes.push(this.#underSavepoint(waiting));
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#rollBack();
      const now = performance.now();
      const left = sqliteFailureOf(error) === "locked" ? group.filter(({ deadlineMs }) => now < deadlineMs) : [];
      const lost = group.filter((waiting) => !left.includes(waiting));
      // Also for a write that was refused on its own: what it was refused for may be what was just rolled back.
      for (const { reject } of lost) reject(auditUnavailable(error));
      return left;
    }
    for (const settle of outcomes) settle();
    return [];
  }

  #underSavepoint({ attempt, reject }: Waiting): () => void {
    this.#database.exec("SAVEPOINT one_write");
    try {
      const settle = attempt();
      this.#database.exec("RELEASE one_write");
      return settle;
    } catch (error) {
      // A full disk or a failed write takes the whole transaction: SQLite may have rolled it back itself.
      if (sqliteFailureOf(error) !== undefined || !this.#database.isTransaction) throw error;
      this.#database.exec("ROLLBACK TO one_write");
      this.#database.exec("RELEASE one_write");
      return () => reject(error);
    }
  }

  #rollBack(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    } catch {
      // The failure that led here is what gets reported; SQLite rolls back by itself when the file is opened again.
    }
  }
}
