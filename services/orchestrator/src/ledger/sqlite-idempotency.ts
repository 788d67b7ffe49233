import type { DatabaseSync, StatementSync } from "node:sqlite";
import { forgottenAt, idempotencyRecordOf } from "./idempotency-record.ts";
import type { IdempotencyRecord } from "./ledger.ts";

/** Idempotency keys of a tenant, for 24 h each. */
export class SqliteIdempotency {
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #forget: StatementSync;

  constructor(database: DatabaseSync) {
    this.#find = database.prepare(
      "SELECT request_digest, session_id, created_at FROM idempotency WHERE tenant = ? AND key = ? AND created_at > ?",
    );
    this.#insert = database.prepare(
      "INSERT INTO idempotency (tenant, key, request_digest, session_id, created_at) VALUES (?, ?, ?, ?, ?)",
    );
    this.#forget = database.prepare("DELETE FROM idempotency WHERE created_at <= ?");
  }

  find(tenant: string, key: string, now: Date): IdempotencyRecord | undefined {
    const row = this.#find.get(tenant, key, forgottenAt(now));
    return row === undefined ? undefined : idempotencyRecordOf(row);
  }

  insert(tenant: string, key: string, record: IdempotencyRecord, now: Date): void {
    this.#forget.run(forgottenAt(now));
    this.#insert.run(tenant, key, record.requestDigest, record.sessionId, record.createdAt);
  }
}
