import type { DatabaseSync } from "node:sqlite";
import type { SealedPiece } from "../contents/content-vault.ts";
import { openSqliteFile } from "../ledger/sqlite-file.ts";
import { bytesOf, integerOf, textOf, type StoredRow } from "../ledger/stored-row.ts";
import type { DeltaStore, StepKey, StoredPiece } from "./delta-store.ts";

/** AUTOINCREMENT: a position that was removed does not come again, which a reader would take for one that he has. */
const schema = `
CREATE TABLE IF NOT EXISTS deltas (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  step TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  start_unit INTEGER NOT NULL,
  writer TEXT NOT NULL,
  key_id TEXT NOT NULL,
  sealed BLOB NOT NULL,
  added_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS deltas_by_session ON deltas (session_id, position);
CREATE INDEX IF NOT EXISTS deltas_by_age ON deltas (added_at);`;

/**
 * Opens the store in a file of its own, so that no write of it waits for the ledger's or makes one wait: without any sync
 * of the disk (`PRAGMA synchronous`), because nothing in it has to outlive the machine.
 */
export function openSqliteDeltaStore(file: string, now: () => Date = () => new Date()): DeltaStore {
  const database = openSqliteFile(file, undefined);
  try {
    database.exec("PRAGMA synchronous = OFF");
    database.exec(schema);
    return new SqliteDeltaStore(database, now);
  } catch (error) {
    database.close();
    throw error;
  }
}

class SqliteDeltaStore implements DeltaStore {
  readonly #database: DatabaseSync;
  readonly #now: () => Date;
  readonly #statements;

  constructor(database: DatabaseSync, now: () => Date) {
    this.#database = database;
    this.#now = now;
    this.#statements = {
      insert: database.prepare(
        "INSERT INTO deltas (tenant, user_id, session_id, step, attempt, start_unit, writer, key_id, sealed, added_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ),
      tail: database.prepare("SELECT * FROM deltas WHERE position > ? AND writer <> ? ORDER BY position LIMIT ?"),
      last: database.prepare("SELECT coalesce(max(position), 0) AS position FROM deltas"),
      read: database.prepare("SELECT * FROM deltas WHERE session_id = ? AND tenant = ? ORDER BY position"),
      remove: database.prepare("DELETE FROM deltas WHERE session_id = ? AND tenant = ? AND step = ?"),
      prune: database.prepare("DELETE FROM deltas WHERE added_at < ?"),
    };
  }

  async append(writer: string, pieces: readonly SealedPiece[]): Promise<void> {
    const addedAt = this.#now().getTime();
    this.#write(() => {
      for (const { tenant, user, sessionId, step, attempt, offset, keyId, sealed } of pieces)
        this.#statements.insert.run(tenant, user, sessionId, step, attempt, offset, writer, keyId, sealed, addedAt);
    });
  }

  async tail({ after, notOf, limit }: Parameters<DeltaStore["tail"]>[0]): Promise<readonly StoredPiece[]> {
    return this.#statements.tail.all(after, notOf, limit).map(pieceOf);
  }

  async lastPosition(): Promise<number> {
    return integerOf(this.#statements.last.get() ?? {}, "position");
  }

  async read({ tenant, sessionId }: Omit<StepKey, "step">): Promise<readonly StoredPiece[]> {
    return this.#statements.read.all(sessionId, tenant).map(pieceOf);
  }

  async remove(steps: readonly StepKey[]): Promise<void> {
    this.#write(() => {
      for (const { tenant, sessionId, step } of steps) this.#statements.remove.run(sessionId, tenant, step);
    });
  }

  async prune(before: Date): Promise<void> {
    this.#statements.prune.run(before.getTime());
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #write(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } finally {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    }
  }
}

/** A row of either dialect. */
export function pieceOf(row: StoredRow): StoredPiece {
  return {
    position: integerOf(row, "position"),
    tenant: textOf(row, "tenant"),
    user: textOf(row, "user_id"),
    sessionId: textOf(row, "session_id"),
    step: textOf(row, "step"),
    attempt: integerOf(row, "attempt"),
    offset: integerOf(row, "start_unit"),
    keyId: textOf(row, "key_id"),
    sealed: bytesOf(row, "sealed"),
  };
}
