import { isDigest } from "@soma/contracts/ids";
import type { IdempotencyRecord } from "./ledger.ts";
import { textOf, type StoredRow } from "./stored-row.ts";

const dayMs = 86_400_000;

/** Records of this time and before it are forgotten. */
export function forgottenAt(now: Date): string {
  return new Date(now.getTime() - dayMs).toISOString();
}

/** Reads a row of the idempotency table. */
export function idempotencyRecordOf(row: StoredRow): IdempotencyRecord {
  const requestDigest = textOf(row, "request_digest");
  if (!isDigest(requestDigest)) throw new TypeError("column request_digest is no digest");
  return { requestDigest, sessionId: textOf(row, "session_id"), createdAt: textOf(row, "created_at") };
}
