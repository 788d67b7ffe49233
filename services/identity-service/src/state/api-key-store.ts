import type { DatabaseSync, StatementSync } from "node:sqlite";
import { capabilities, roles, type Capability, type Role } from "@soma/contracts/wire-names";
import { inTransaction } from "./state-database.ts";

/** An API key without its secret. Times in seconds since 1970. */
export interface ApiKeyRecord {
  readonly keyId: string;
  readonly tenant: string;
  readonly name: string;
  readonly role: Role;
  readonly scopes: readonly Capability[];
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly revokedAt: number | undefined;
  readonly lastUsedAt: number | undefined;
}

/** The request that a key was made for, so that it can be repeated. */
export interface KeyRequest {
  readonly key: string;
  readonly digest: string;
}

const columns =
  "key_id, tenant, name, role, scopes, created_by, created_at, expires_at, revoked_at, last_used_at, request_digest";

/** API keys: what they may do, and of their secrets the digests. */
export class ApiKeyStore {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #digest: StatementSync;
  readonly #find: StatementSync;
  readonly #findByRequest: StatementSync;
  readonly #list: StatementSync;
  readonly #countLive: StatementSync;
  readonly #replaceSecret: StatementSync;
  readonly #revoke: StatementSync;
  readonly #use: StatementSync;
  readonly #prune: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare(
      `INSERT INTO api_keys (key_id, tenant, name, role, scopes, created_by, created_at, expires_at, secret_digest, request_key, request_digest)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#digest = database.prepare(
      "SELECT coalesce((SELECT secret_digest FROM api_keys WHERE key_id = ?), ?) AS secret_digest",
    );
    this.#find = database.prepare(`SELECT ${columns} FROM api_keys WHERE key_id = ?`);
    this.#findByRequest = database.prepare(
      `SELECT ${columns} FROM api_keys WHERE tenant = ? AND request_key = ? AND created_at > ? ORDER BY created_at DESC LIMIT 1`,
    );
    this.#list = database.prepare(
      `SELECT ${columns} FROM api_keys WHERE tenant = ? ORDER BY created_at DESC, key_id LIMIT ?`,
    );
    this.#countLive = database.prepare(
      "SELECT count(*) AS live FROM api_keys WHERE tenant = ? AND revoked_at IS NULL AND expires_at > ?",
    );
    this.#replaceSecret = database.prepare(
      "UPDATE api_keys SET secret_digest = ? WHERE key_id = ? AND last_used_at IS NULL AND revoked_at IS NULL",
    );
    this.#revoke = database.prepare("UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE key_id = ?");
    this.#use = database.prepare(
      "UPDATE api_keys SET last_used_at = ? WHERE key_id = ? AND (last_used_at IS NULL OR last_used_at <= ?)",
    );
    this.#prune = database.prepare("DELETE FROM api_keys WHERE min(expires_at, coalesce(revoked_at, expires_at)) < ?");
  }

  /** Runs `work` alone among all processes. */
  inTransaction<Result>(work: () => Result): Result {
    return inTransaction(this.#database, work);
  }

  insert(record: ApiKeyRecord, secretDigest: Buffer, request: KeyRequest | undefined): void {
    const { keyId, tenant, name, role, scopes, createdBy, createdAt, expiresAt } = record;
    const asked = [request?.key ?? null, request?.digest ?? null];
    this.#insert.run(
      keyId,
      tenant,
      name,
      role,
      scopes.join(" "),
      createdBy,
      createdAt,
      expiresAt,
      secretDigest,
      ...asked,
    );
  }

  /** The digest of a key's secret, or `otherwise`: a row comes back either way, and costs the same. */
  secretDigestOf(keyId: string, otherwise: Uint8Array): Uint8Array {
    const digest = this.#digest.get(keyId, otherwise)?.["secret_digest"];
    if (!(digest instanceof Uint8Array)) throw new Error("the digest of an API key's secret is no bytes");
    return digest;
  }

  find(keyId: string): ApiKeyRecord | undefined {
    const row = this.#find.get(keyId);
    return row === undefined ? undefined : toRecord(row);
  }

  /** The key that was made for a request later than `since`. */
  findByRequest(
    tenant: string,
    key: string,
    since: number,
  ): (ApiKeyRecord & { readonly requestDigest: string }) | undefined {
    const row = this.#findByRequest.get(tenant, key, since);
    return row === undefined ? undefined : { ...toRecord(row), requestDigest: String(row["request_digest"]) };
  }

  /** A tenant's keys, the newest first. */
  list(tenant: string, limit: number): ApiKeyRecord[] {
    return this.#list.all(tenant, limit).map((row) => toRecord(row));
  }

  countLive(tenant: string, now: number): number {
    return Number(this.#countLive.get(tenant, now)?.["live"]);
  }

  /** False when the key was used or revoked meanwhile: then its secret stays. */
  replaceSecret(keyId: string, secretDigest: Buffer): boolean {
    return this.#replaceSecret.run(secretDigest, keyId).changes === 1;
  }

  /** Durable when it returns; the first time counts. */
  revoke(keyId: string, now: number): void {
    this.#revoke.run(now, keyId);
  }

  /** Notes the use of a key, at most once in `everySeconds`. */
  use(keyId: string, now: number, everySeconds: number): void {
    this.#use.run(now, keyId, now - everySeconds);
  }

  /** Forgets keys that ended before. */
  prune(endedBefore: number): void {
    this.#prune.run(endedBefore);
  }
}

function toRecord(row: Record<string, unknown>): ApiKeyRecord {
  const role = roles.find((known) => known === row["role"]);
  if (role === undefined) throw new Error("an API key with an unknown role is stored");
  const scopes = new Set(String(row["scopes"]).split(" "));
  const optional = (column: string): number | undefined => (row[column] === null ? undefined : Number(row[column]));
  return {
    keyId: String(row["key_id"]),
    tenant: String(row["tenant"]),
    name: String(row["name"]),
    role,
    scopes: capabilities.filter((capability) => scopes.has(capability)),
    createdBy: String(row["created_by"]),
    createdAt: Number(row["created_at"]),
    expiresAt: Number(row["expires_at"]),
    revokedAt: optional("revoked_at"),
    lastUsedAt: optional("last_used_at"),
  };
}
