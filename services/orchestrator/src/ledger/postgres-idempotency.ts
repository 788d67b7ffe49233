import { forgottenAt, idempotencyRecordOf } from "./idempotency-record.ts";
import type { IdempotencyRecord } from "./ledger.ts";
import type { Query } from "./postgres-database.ts";

export async function findIdempotency(
  query: Query,
  tenant: string,
  key: string,
  now: Date,
): Promise<IdempotencyRecord | undefined> {
  const [row] = await query(
    "SELECT request_digest, session_id, created_at FROM soma.idempotency WHERE tenant = $1 AND key = $2 AND created_at > $3",
    [tenant, key, forgottenAt(now)],
  );
  return row === undefined ? undefined : idempotencyRecordOf(row);
}

/** Records a key; false when another transaction recorded it meanwhile. */
export async function insertIdempotency(
  query: Query,
  tenant: string,
  key: string,
  record: IdempotencyRecord,
  now: Date,
): Promise<boolean> {
  const forgotten = forgottenAt(now);
  const written = await query(
    `INSERT INTO soma.idempotency AS i (tenant, key, request_digest, session_id, created_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (tenant, key) DO UPDATE
       SET request_digest = excluded.request_digest, session_id = excluded.session_id, created_at = excluded.created_at
       WHERE i.created_at <= $6
     RETURNING key`,
    [tenant, key, record.requestDigest, record.sessionId, record.createdAt, forgotten],
  );
  // A few old ones of this tenant; those that another transaction is at are left to it.
  await query(
    `DELETE FROM soma.idempotency WHERE tenant = $1 AND key IN (
       SELECT key FROM soma.idempotency WHERE tenant = $1 AND created_at <= $2 LIMIT 20 FOR UPDATE SKIP LOCKED)`,
    [tenant, forgotten],
  );
  return written.length > 0;
}
