import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ConfigError } from "@soma/kit/config";

const schemaVersion = 3;

/** `power`: an acknowledged write survives the machine. `process`: it survives any process, and costs no disk flush. */
type Survives = "power" | "process";

/**
 * Opens the durable state. What was acknowledged is on disk unless less is asked for, and several processes on one machine
 * may share the file; a network file system may not hold it.
 */
export function openStateDatabase(dataDir: string, survives: Survives = "power"): DatabaseSync {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, "identity.sqlite");
  // SQLite would make it, and the files beside it that take over its mode, readable by everybody.
  closeSync(openSync(path, "a", 0o600));
  const database = new DatabaseSync(path, { timeout: 5_000 });
  database.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=${survives === "power" ? "FULL" : "NORMAL"};`);
  inTransaction(database, () => {
    const found = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
    if (found > schemaVersion)
      throw new ConfigError(`${path} was written by a newer version (schema ${String(found)}); run that one`);
    database.exec(`
      CREATE TABLE IF NOT EXISTS revoked_tokens (
        jti TEXT PRIMARY KEY, keep_until INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS totp_accepted (
        tenant TEXT NOT NULL, user TEXT NOT NULL, time_step INTEGER NOT NULL, PRIMARY KEY (tenant, user)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS totp_failures (
        tenant TEXT NOT NULL, user TEXT NOT NULL, failed_at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX IF NOT EXISTS totp_failures_of_user ON totp_failures (tenant, user, failed_at);
      CREATE TABLE IF NOT EXISTS issued_tokens (
        service TEXT NOT NULL, key TEXT NOT NULL, request_digest TEXT NOT NULL, claims TEXT NOT NULL,
        expires_at INTEGER NOT NULL, PRIMARY KEY (service, key)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS issued_tokens_by_end ON issued_tokens (expires_at);
      CREATE TABLE IF NOT EXISTS api_keys (
        key_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, scopes TEXT NOT NULL,
        created_by TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, revoked_at INTEGER,
        last_used_at INTEGER, secret_digest BLOB NOT NULL, request_key TEXT, request_digest TEXT
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS api_keys_of_tenant ON api_keys (tenant, created_at);
      CREATE INDEX IF NOT EXISTS api_keys_by_request ON api_keys (tenant, request_key, created_at);
      CREATE TABLE IF NOT EXISTS tenants (
        tenant TEXT PRIMARY KEY, version INTEGER NOT NULL, status TEXT NOT NULL, issuers TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS foreign_users (
        tenant TEXT NOT NULL, user TEXT NOT NULL, issuer TEXT NOT NULL, role TEXT NOT NULL,
        expires_at INTEGER NOT NULL, PRIMARY KEY (tenant, user)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY CHECK (id = 1), written_at INTEGER NOT NULL) STRICT;
      PRAGMA user_version = ${String(schemaVersion)};
    `);
  });
  return database;
}

/** Runs `work` alone among all processes (BEGIN IMMEDIATE); what it throws undoes everything. `work` is synchronous. */
export function inTransaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** True when a row can be written now: an open file on a full or read-only disk is not enough to be ready. */
export function isWritable(database: DatabaseSync, nowMs: number): boolean {
  try {
    database.prepare("INSERT OR REPLACE INTO probe (id, written_at) VALUES (1, ?)").run(nowMs);
    return true;
  } catch {
    return false;
  }
}
