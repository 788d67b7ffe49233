import assert from "node:assert/strict";
import { test } from "node:test";
import { errors } from "@soma/contracts/error-codes";

const pinned = {
  INVALID_JSON: [400, "never"],
  VALIDATION_FAILED: [400, "never"],
  REQUEST_TIMEOUT: [408, "backoff"],
  PAYLOAD_TOO_LARGE: [413, "never"],
  URI_TOO_LONG: [414, "never"],
  UNSUPPORTED_MEDIA_TYPE: [415, "never"],
  HEADERS_TOO_LARGE: [431, "never"],
  ROUTE_NOT_FOUND: [404, "never"],
  UNAUTHENTICATED: [401, "never"],
  MFA_REQUIRED: [401, "never"],
  FORBIDDEN: [403, "never"],
  PRINCIPAL_MISMATCH: [403, "never"],
  IDENTITY_DENIED: [403, "never"],
  SESSION_NOT_FOUND: [404, "never"],
  SESSION_ID_TAKEN: [409, "never"],
  ACTION_NOT_ALLOWED: [409, "never"],
  IDEMPOTENCY_IN_PROGRESS: [409, "backoff"],
  IDEMPOTENCY_KEY_REUSED: [422, "never"],
  SESSION_CANCELED: [409, "never"],
  SESSION_TIMED_OUT: [504, "never"],
  SESSION_TERMINATED: [409, "never"],
  SESSION_LOST: [409, "never"],
  START_INCOMPLETE: [409, "never"],
  TOO_MANY_STREAMS: [429, "backoff"],
  POLICY_DENIED: [403, "never"],
  POLICY_UNAVAILABLE: [503, "backoff"],
  POLICY_BAD_RESPONSE: [503, "backoff"],
  OBLIGATION_UNMET: [403, "never"],
  PERMIT_INVALID: [403, "never"],
  PERMIT_EXPIRED: [403, "never"],
  IDENTITY_UNAVAILABLE: [503, "backoff"],
  IDENTITY_BAD_RESPONSE: [503, "backoff"],
  MODEL_UNAVAILABLE: [503, "backoff"],
  MODEL_BAD_RESPONSE: [503, "backoff"],
  MODEL_REJECTED: [422, "never"],
  MODEL_TOKEN_REFUSED: [503, "never"],
  MODEL_NOT_FOUND: [422, "never"],
  MODEL_PROMPT_TOO_LONG: [422, "never"],
  TEMPORAL_UNAVAILABLE: [503, "backoff"],
  AUDIT_UNAVAILABLE: [503, "backoff"],
  AUDIT_BACKLOG_FULL: [503, "backoff"],
  EVENT_CONFLICT: [409, "never"],
  CONTENT_ERASED: [410, "never"],
  CONTENT_KEY_UNAVAILABLE: [503, "backoff"],
  CONTENT_UNREADABLE: [410, "never"],
  SESSION_ENDED: [409, "never"],
  NOT_READY: [503, "backoff"],
  INTERNAL: [500, "backoff"],
};

test("the error codes with their status and retry are these, and no others", () => {
  const table = Object.fromEntries(Object.entries(errors).map(([code, row]) => [code, [row.status, row.retry]]));
  assert.deepEqual(table, pinned);
});
