import type { DatabaseSync, StatementSync } from "node:sqlite";
import { isDigest } from "@soma/contracts/ids";
import type { IdempotencyRecord } from "./ledger.ts";
import { textOf } from "./sqlite-row.ts";

const dayMs = 86_400_000;

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
    const row = this.#find.get(tenant, key, dayBefore(now));
    if (row === undefined) return undefined;
    const requestDigest = textOf(row, "request_digest");
    if (!isDigest(requestDigest)) throw new TypeError("column request_digest is no digest");
    return { requestDigest, sessionId: textOf(row, "session_id"), createdAt: textOf(row, "created_at") };
  }

  insert(tenant: string, key: string, record: IdempotencyRecord, now: Date): void {
    this.#forget.run(dayBefore(now));
    this.#insert.run(tenant, key, record.requestDigest, record.sessionId, record.createdAt);
  }
}

function dayBefore(now: Date): string {
  return new Date(now.getTime() - dayMs).toISOString();
}
