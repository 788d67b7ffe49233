import { setTimeout as pause } from "node:timers/promises";
import { ConfigError } from "@soma/kit/config";
import { DomainError } from "@soma/kit/domain-error";
import { Pool, types, type PoolClient } from "pg";
import { boundReached, memoryColumns, readKey, readMemory, readPassage, replacedBy } from "./memory-row.ts";
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
import { postgresSchema } from "./postgres-schema.ts";
import { integerOf, textOf, type StoredRow } from "./stored-row.ts";
import { storeUnavailable } from "./unavailable.ts";

const timeoutMs = 5_000;
const bigintType = 20;
/** So long a start waits for a database that starts, too. */
const openingMs = 20_000;
/** Serializes starts that make the tables at the same time. Any number, as long as it is always the same. */
const schemaLock = 7_310_018;
const alive = "(expires_at IS NULL OR expires_at > $now)";

type Query = (text: string, values?: readonly unknown[]) => Promise<readonly StoredRow[]>;

/** Memories in PostgreSQL with pgvector; several gateways may share it. */
export class PostgresStore implements MemoryStore {
  readonly #pool: Pool;

  private constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Waits for the database and makes what is missing in it. @throws ConfigError, DomainError MEMORY_UNAVAILABLE */
  static async open(url: string): Promise<PostgresStore> {
    const pool = new Pool({
      connectionString: url,
      max: 16,
      connectionTimeoutMillis: timeoutMs,
      statement_timeout: timeoutMs,
      lock_timeout: timeoutMs,
      idle_in_transaction_session_timeout: timeoutMs,
      keepAlive: true,
      application_name: "soma-memory-gateway",
      options: "-c search_path=soma_memory,public",
      types: {
        getTypeParser: (oid: number, format?: "text" | "binary") =>
          oid === bigintType ? Number : types.getTypeParser(oid, format),
      },
    });
    // An idle connection that ends, e.g. with the server: the pool drops it and opens another when one is needed.
    pool.on("error", () => undefined);
    const store = new PostgresStore(pool);
    try {
      await store.#prepare();
      return store;
    } catch (error) {
      await pool.end();
      throw error;
    }
  }

  findKey({ tenant, user }: Subject): Promise<StoredKey | undefined> {
    return this.#transact(async (query) => {
      const [row] = await query(`SELECT * FROM subject_keys WHERE tenant = $1 AND "user" = $2`, [tenant, user]);
      return row && readKey(row);
    });
  }

  insertKey({ tenant, user, keyId, masterKeyId, wrapped }: StoredKey): Promise<void> {
    return this.#transact(async (query) => {
      const sql = "INSERT INTO subject_keys VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
      await query(sql, [tenant, user, keyId, masterKeyId, Buffer.from(wrapped)]);
    });
  }

  masterKeyIds(): Promise<readonly string[]> {
    return this.#transact(async (query) => {
      const rows = await query("SELECT DISTINCT master_key_id FROM subject_keys");
      return rows.map((row) => textOf(row, "master_key_id"));
    });
  }

  write(write: MemoryWrite, now: number): Promise<WriteOutcome> {
    return this.#transact((query) => writeIn(query, write, now));
  }

  find({ tenant, user }: Subject, lookup: string, now: number): Promise<StoredMemory | undefined> {
    return this.#transact(async (query) => {
      const where = `tenant = $1 AND "user" = $2 AND lookup = $3 AND ${alive.replace("$now", "$4")}`;
      const [row] = await query(`SELECT ${memoryColumns} FROM memories WHERE ${where}`, [tenant, user, lookup, now]);
      return row && readMemory(row);
    });
  }

  search(
    { tenant, user }: Subject,
    vector: Float32Array,
    limit: number,
    now: number,
  ): Promise<readonly FoundPassage[]> {
    // No index of the approximate kind: what one subject may have is bounded, and an exact answer is the same in both stores.
    return this.#transact(async (query) => {
      const rows = await query(
        `SELECT p.memory_id, p.position, p.sealed, (p.vector <=> $3::vector)::float8 AS distance
         FROM passages p JOIN memories m ON m.id = p.memory_id
         WHERE p.tenant = $1 AND p."user" = $2 AND (m.expires_at IS NULL OR m.expires_at > $5)
         ORDER BY distance, p.memory_id, p.position LIMIT $4`,
        [tenant, user, textOfVector(vector), limit, now],
      );
      return rows.map((row) => readPassage(row));
    });
  }

  list({ tenant, user }: Subject, after: string, limit: number, now: number): Promise<readonly StoredMemory[]> {
    return this.#transact(async (query) => {
      const where = `tenant = $1 AND "user" = $2 AND id > $3 AND ${alive.replace("$now", "$5")}`;
      const sql = `SELECT ${memoryColumns} FROM memories WHERE ${where} ORDER BY id LIMIT $4`;
      return (await query(sql, [tenant, user, after, limit, now])).map((row) => readMemory(row));
    });
  }

  erase({ tenant, user }: Subject): Promise<Erased> {
    return this.#transact(async (query) => {
      const subject = [tenant, user];
      // The key first: its row is what a write that goes on meanwhile holds.
      const keys = await query(`DELETE FROM subject_keys WHERE tenant = $1 AND "user" = $2 RETURNING key_id`, subject);
      const removed = await query(`DELETE FROM memories WHERE tenant = $1 AND "user" = $2 RETURNING passages`, subject);
      const passages = removed.reduce((sum, row) => sum + integerOf(row, "passages"), 0);
      return { memories: removed.length, passages, keys: keys.length };
    });
  }

  sweep(now: number, limit: number): Promise<number> {
    return this.#transact(async (query) => {
      const some = "SELECT id FROM memories WHERE expires_at <= $1 LIMIT $2";
      const removed = await query(`DELETE FROM memories WHERE id IN (${some}) RETURNING id`, [now, limit]);
      return removed.length;
    });
  }

  checkWritable(): Promise<void> {
    return this.#transact(async (query) => {
      const sql = "INSERT INTO probe VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET written_at = excluded.written_at";
      await query(sql, [Date.now()]);
    });
  }

  /** The setting as it is, or from now on when there is none. */
  requireSetting(name: string, first: string): Promise<string> {
    return this.#transact(async (query) => {
      await query("INSERT INTO settings VALUES ($1, $2) ON CONFLICT DO NOTHING", [name, first]);
      const [row] = await query("SELECT value FROM settings WHERE name = $1", [name]);
      return textOf(row ?? {}, "value");
    });
  }

  close(): Promise<void> {
    return this.#pool.ended ? Promise.resolve() : this.#pool.end();
  }

  async #prepare(): Promise<void> {
    const deadline = performance.now() + openingMs;
    for (;;) {
      try {
        await this.#transact(async (query) => {
          await query("SELECT pg_advisory_xact_lock($1)", [schemaLock]);
          const [vector] = await query("SELECT 1 FROM pg_extension WHERE extname = 'vector'");
          if (vector === undefined) await createExtension(query);
          await query(postgresSchema);
        });
        return;
      } catch (error) {
        if (error instanceof ConfigError || performance.now() > deadline) throw error;
        await pause(500);
      }
    }
  }

  async #transact<Result>(work: (query: Query) => Promise<Result>): Promise<Result> {
    let client: PoolClient | undefined;
    let failed = true;
    try {
      client = await this.#pool.connect();
      const { query } = bound(client);
      await query("BEGIN");
      const result = await work(query);
      await query("COMMIT");
      failed = false;
      return result;
    } catch (error) {
      if (error instanceof DomainError || error instanceof ConfigError || error instanceof TypeError) throw error;
      throw storeUnavailable(error);
    } finally {
      // A transaction that did not end well ends with its connection.
      client?.release(failed);
    }
  }
}

function bound(client: PoolClient): { readonly query: Query } {
  return { query: async (text, values = []) => (await client.query<StoredRow>(text, [...values])).rows };
}

async function createExtension(query: Query): Promise<void> {
  try {
    await query("CREATE EXTENSION vector WITH SCHEMA public");
  } catch (error) {
    throw new ConfigError(
      "MEMORY_DATABASE_URL names a database without the extension vector, which this role cannot create; accepted: a database in which a superuser has run CREATE EXTENSION vector",
      { cause: error },
    );
  }
}

async function writeIn(
  query: Query,
  { subject: { tenant, user }, keyId, memory, passages, bounds }: MemoryWrite,
  now: number,
): Promise<WriteOutcome> {
  // Held until the end: writes of one subject go one after the other, and an erasure waits for them or is seen here.
  const [key] = await query(`SELECT key_id FROM subject_keys WHERE tenant = $1 AND "user" = $2 FOR UPDATE`, [
    tenant,
    user,
  ]);
  if (key?.["key_id"] !== keyId) return "key_gone";
  const [held] = await query(
    `SELECT count(*) AS memories, coalesce(sum(passages), 0)::bigint AS passages FROM memories
     WHERE tenant = $1 AND "user" = $2 AND lookup <> $3 AND ${alive.replace("$now", "$4")}`,
    [tenant, user, memory.lookup, now],
  );
  const reached = boundReached(held ?? {}, passages.length, bounds);
  if (reached !== undefined) return reached;
  const [before] = await query(
    `DELETE FROM memories WHERE tenant = $1 AND "user" = $2 AND lookup = $3 RETURNING ${memoryColumns}`,
    [tenant, user, memory.lookup],
  );
  const replaced = before === undefined ? undefined : replacedBy(memory, readMemory(before), now);
  await insertMemory(query, { tenant, user }, replaced ?? memory, passages);
  return replaced === undefined ? "created" : "replaced";
}

async function insertMemory(
  query: Query,
  { tenant, user }: Subject,
  memory: StoredMemory,
  passages: readonly NewPassage[],
): Promise<void> {
  const { id, lookup, sealed, content, idempotencyKey = null, createdAt, updatedAt, expiresAt = null } = memory;
  await query(
    `INSERT INTO memories (tenant, "user", ${memoryColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      tenant,
      user,
      id,
      lookup,
      Buffer.from(sealed),
      content,
      idempotencyKey,
      passages.length,
      createdAt,
      updatedAt,
      expiresAt,
    ],
  );
  await query(
    `INSERT INTO passages SELECT $1, position - 1, $2, $3, sealed, vector::vector
     FROM unnest($4::bytea[], $5::text[]) WITH ORDINALITY AS given (sealed, vector, position)`,
    [
      id,
      tenant,
      user,
      passages.map((passage) => Buffer.from(passage.sealed)),
      passages.map((passage) => textOfVector(passage.vector)),
    ],
  );
}

function textOfVector(vector: Float32Array): string {
  return `[${vector.join(",")}]`;
}
