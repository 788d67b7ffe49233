import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ConfigError } from "@soma/kit/config";
import * as sqliteVec from "sqlite-vec";
import { vectorSize } from "./memory-store.ts";

const schemaVersion = 1;
/** Vectors of a tenant are kept in blocks of so many: a tenant with one memory takes about 100 KiB. */
const blockOfVectors = 64;

/**
 * Opens the database file with the extension for vectors; its folder is made with 0700, and SQLite's side files take over
 * the 0600 of the file. Extensions cannot be loaded by a statement afterwards.
 *
 * @throws ConfigError when a newer version wrote it
 */
export function openSqliteFile(file: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, "a", 0o600));
  chmodSync(file, 0o600);
  const database = new DatabaseSync(file, { timeout: 5_000, allowExtension: true, enableForeignKeyConstraints: true });
  try {
    sqliteVec.load(database);
    database.enableLoadExtension(false);
    // secure_delete: what was erased is overwritten, not only unlinked (https://www.sqlite.org/pragma.html#pragma_secure_delete).
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
    inTransaction(database, () => {
      const found = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
      if (found > schemaVersion)
        throw new ConfigError(`${file} was written by a newer version (schema ${String(found)}); run that one`);
      database.exec(schema);
    });
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Runs `work` alone among all processes; what it throws undoes everything. `work` is synchronous. */
export function inTransaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } finally {
    if (database.isTransaction) database.exec("ROLLBACK");
  }
}

// The vectors are a table of their own, because that is how the extension has them; a tenant is a partition, so that no
// search even reads another tenant's.
const schema = `
  CREATE TABLE IF NOT EXISTS subject_keys (
    tenant TEXT NOT NULL, user TEXT NOT NULL, key_id TEXT NOT NULL, master_key_id TEXT NOT NULL, wrapped BLOB NOT NULL,
    PRIMARY KEY (tenant, user)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS memories (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, user TEXT NOT NULL, lookup TEXT NOT NULL, sealed BLOB NOT NULL,
    content TEXT NOT NULL, idempotency_key TEXT, passages INTEGER NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, expires_at INTEGER,
    UNIQUE (tenant, user, lookup)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS memories_of_subject ON memories (tenant, user, id);
  CREATE INDEX IF NOT EXISTS memories_by_end ON memories (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE IF NOT EXISTS passages (
    id INTEGER PRIMARY KEY, memory_id TEXT NOT NULL REFERENCES memories (id), position INTEGER NOT NULL,
    sealed BLOB NOT NULL, UNIQUE (memory_id, position)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY CHECK (id = 1), written_at INTEGER NOT NULL) STRICT;
  CREATE VIRTUAL TABLE IF NOT EXISTS passage_vectors USING vec0(
    passage_id INTEGER PRIMARY KEY, tenant TEXT PARTITION KEY, user TEXT, expires_at INTEGER,
    vector FLOAT[${String(vectorSize)}] distance_metric=cosine, chunk_size=${String(blockOfVectors)}
  );
  PRAGMA user_version = ${String(schemaVersion)};
`;
