import { DomainError } from "@soma/kit/domain-error";

/**
 * A cursor names the last session of a page by its id, which the reader has seen anyway: a row number would tell a
 * tenant how many sessions the others have.
 */
export function cursorOf(sessionId: string): string {
  return Buffer.from(sessionId, "utf8").toString("base64url");
}

export function sessionIdOfCursor(cursor: string): string {
  return Buffer.from(cursor, "base64url").toString("utf8");
}

/** A cursor that no page of this tenant gave. */
export function foreignCursor(): DomainError {
  return new DomainError("VALIDATION_FAILED", "The cursor is not one of ours.", {
    fields: [{ pointer: "/querystring/cursor", detail: "the next_cursor of a page before, or left out" }],
  });
}

/** The time in the one form that the ledger stores, so that text order is time order. */
export function utcTime(time: string): string {
  const date = new Date(time);
  if (!Number.isNaN(date.getTime())) return date.toISOString();
  throw new DomainError("VALIDATION_FAILED", "A time is not RFC 3339.", {
    fields: [{ pointer: "/querystring/since", detail: "RFC 3339, e.g. 2026-01-31T12:00:00Z" }],
  });
}

/** @throws TypeError when a limit is not a positive integer: to SQLite a negative one means everything */
export function assertLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1) throw new TypeError("limit is not a positive integer");
}
