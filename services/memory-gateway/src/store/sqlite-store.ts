import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { DomainError } from "@soma/kit/domain-error";
import {
  boundReached,
  bytesOfVector,
  memoryColumns,
  readKey,
  readMemory,
  readPassage,
  replacedBy,
} from "./memory-row.ts";
import type {
  Erased,
  FoundPassage,
  MemoryStore,
  MemoryWrite,
  NewPassage,
  StoredKey,
  StoredMemory,
  Subject,
  WriteOutcome,
} from "./memory-store.ts";
import { inTransaction, openSqliteFile } from "./sqlite-file.ts";
import { integerOf, textOf, type StoredRow } from "./stored-row.ts";
import { storeUnavailable } from "./unavailable.ts";

/** `expires_at` of a vector whose memory has no end: the extension has no null in such a column. */
const never = BigInt(Number.MAX_SAFE_INTEGER);
const alive = "(expires_at IS NULL OR expires_at > ?)";

/** Memories in one SQLite file, for one machine; several processes may share it. */
export class SqliteStore implements MemoryStore {
  readonly #database: DatabaseSync;

  /** @throws ConfigError */
  constructor(file: string) {
    this.#database = openSqliteFile(file);
  }

  findKey({ tenant, user }: Subject): Promise<StoredKey | undefined> {
    return this.#run(() => {
      const row = this.#get("SELECT * FROM subject_keys WHERE tenant = ? AND user = ?", tenant, user);
      return row && readKey(row);
    });
  }

  insertKey({ tenant, user, keyId, masterKeyId, wrapped }: StoredKey): Promise<void> {
    return this.#run(() => {
      this.#database
        .prepare("INSERT INTO subject_keys VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant, user) DO NOTHING")
        .run(tenant, user, keyId, masterKeyId, wrapped);
    });
  }

  masterKeyIds(): Promise<readonly string[]> {
    return this.#run(() =>
      this.#all("SELECT DISTINCT master_key_id FROM subject_keys").map((row) => textOf(row, "master_key_id")),
    );
  }

  write(write: MemoryWrite, now: number): Promise<WriteOutcome> {
    return this.#run(() => inTransaction(this.#database, () => this.#write(write, now)));
  }

  find({ tenant, user }: Subject, lookup: string, now: number): Promise<StoredMemory | undefined> {
    return this.#run(() => {
      const where = `tenant = ? AND user = ? AND lookup = ? AND ${alive}`;
      const row = this.#get(`SELECT ${memoryColumns} FROM memories WHERE ${where}`, tenant, user, lookup, now);
      return row && readMemory(row);
    });
  }

  search(
    { tenant, user }: Subject,
    vector: Float32Array,
    limit: number,
    now: number,
  ): Promise<readonly FoundPassage[]> {
    const nearest = `SELECT passage_id, distance FROM passage_vectors
      WHERE vector MATCH ? AND k = ? AND tenant = ? AND user = ? AND expires_at > ?`;
    return this.#run(() =>
      this.#all(
        `WITH nearest AS (${nearest})
         SELECT p.memory_id, p.position, p.sealed, n.distance FROM nearest n JOIN passages p ON p.id = n.passage_id
         ORDER BY n.distance, p.id`,
        bytesOfVector(vector),
        BigInt(limit),
        tenant,
        user,
        BigInt(now),
      ).map((row) => readPassage(row)),
    );
  }

  list({ tenant, user }: Subject, after: string, limit: number, now: number): Promise<readonly StoredMemory[]> {
    return this.#run(() => {
      const where = `tenant = ? AND user = ? AND id > ? AND ${alive}`;
      const sql = `SELECT ${memoryColumns} FROM memories WHERE ${where} ORDER BY id LIMIT ?`;
      return this.#all(sql, tenant, user, after, now, limit).map((row) => readMemory(row));
    });
  }

  async erase({ tenant, user }: Subject): Promise<Erased> {
    const erased = await this.#run(() =>
      inTransaction(this.#database, () => {
        const ids = this.#all("SELECT id FROM memories WHERE tenant = ? AND user = ?", tenant, user);
        let passages = 0;
        for (const row of ids) passages += this.#remove(textOf(row, "id"));
        const keys = this.#change("DELETE FROM subject_keys WHERE tenant = ? AND user = ?", tenant, user);
        return { memories: ids.length, passages, keys };
      }),
    );
    // What was erased still stands in the write-ahead log, until that is written back and cut.
    await this.#run(() => {
      this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    });
    return erased;
  }

  sweep(now: number, limit: number): Promise<number> {
    return this.#run(() =>
      inTransaction(this.#database, () => {
        const ids = this.#all("SELECT id FROM memories WHERE expires_at <= ? LIMIT ?", now, limit);
        for (const row of ids) this.#remove(textOf(row, "id"));
        return ids.length;
      }),
    );
  }

  checkWritable(): Promise<void> {
    return this.#run(() => {
      this.#change("INSERT OR REPLACE INTO probe (id, written_at) VALUES (1, ?)", Date.now());
    });
  }

  /** The setting as it is, or from now on when there is none. */
  requireSetting(name: string, first: string): Promise<string> {
    return this.#run(() => {
      this.#change("INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO NOTHING", name, first);
      return textOf(this.#get("SELECT value FROM settings WHERE name = ?", name) ?? {}, "value");
    });
  }

  close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
    return Promise.resolve();
  }

  #write({ subject: { tenant, user }, keyId, memory, passages, bounds }: MemoryWrite, now: number): WriteOutcome {
    const key = this.#get("SELECT key_id FROM subject_keys WHERE tenant = ? AND user = ?", tenant, user);
    if (key?.["key_id"] !== keyId) return "key_gone";
    const held = this.#get(
      `SELECT count(*) AS memories, coalesce(sum(passages), 0) AS passages FROM memories
       WHERE tenant = ? AND user = ? AND lookup <> ? AND ${alive}`,
      tenant,
      user,
      memory.lookup,
      now,
    );
    const reached = boundReached(held ?? {}, passages.length, bounds);
    if (reached !== undefined) return reached;
    const same = "tenant = ? AND user = ? AND lookup = ?";
    const before = this.#get(`SELECT ${memoryColumns} FROM memories WHERE ${same}`, tenant, user, memory.lookup);
    if (before !== undefined) this.#remove(textOf(before, "id"));
    const replaced = before === undefined ? undefined : replacedBy(memory, readMemory(before), now);
    this.#insert({ tenant, user }, replaced ?? memory, passages);
    return replaced === undefined ? "created" : "replaced";
  }

  #insert({ tenant, user }: Subject, memory: StoredMemory, passages: readonly NewPassage[]): void {
    const { id, lookup, sealed, content, idempotencyKey = null, createdAt, updatedAt, expiresAt } = memory;
    const values = [tenant, user, id, lookup, sealed, content, idempotencyKey, passages.length];
    values.push(createdAt, updatedAt, expiresAt ?? null);
    this.#database
      .prepare(`INSERT INTO memories (tenant, user, ${memoryColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
      .run(...values);
    const addPassage = this.#database.prepare("INSERT INTO passages (memory_id, position, sealed) VALUES (?, ?, ?)");
    const addVector = this.#database.prepare(
      "INSERT INTO passage_vectors (passage_id, tenant, user, expires_at, vector) VALUES (?, ?, ?, ?, ?)",
    );
    const end = expiresAt === undefined ? never : BigInt(expiresAt);
    for (const [position, passage] of passages.entries()) {
      const { lastInsertRowid } = addPassage.run(id, position, passage.sealed);
      addVector.run(BigInt(lastInsertRowid), tenant, user, end, bytesOfVector(passage.vector));
    }
  }

  /** A memory with its passages and vectors; answers how many passages. */
  #remove(id: string): number {
    const rows = this.#all("SELECT id FROM passages WHERE memory_id = ?", id);
    for (const row of rows)
      this.#change("DELETE FROM passage_vectors WHERE passage_id = ?", BigInt(integerOf(row, "id")));
    this.#change("DELETE FROM passages WHERE memory_id = ?", id);
    this.#change("DELETE FROM memories WHERE id = ?", id);
    return rows.length;
  }

  #get(sql: string, ...values: SQLInputValue[]): StoredRow | undefined {
    return this.#database.prepare(sql).get(...values);
  }

  #all(sql: string, ...values: SQLInputValue[]): readonly StoredRow[] {
    return this.#database.prepare(sql).all(...values);
  }

  #change(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#database.prepare(sql).run(...values).changes);
  }

  /** Gives an error of SQLite's or of the file system's our own name. */
  #run<Result>(work: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      try {
        resolve(work());
      } catch (error) {
        reject(error instanceof DomainError || error instanceof TypeError ? error : storeUnavailable(error));
      }
    });
  }
}
