/** How a caller, a retry policy or a workflow should treat an error. */
export type Retry = "never" | "backoff";

interface ErrorRow {
  /** HTTP status of the problem document. */
  readonly status: number;
  /** `backoff`: the same request may succeed later; `never`: it will not. */
  readonly retry: Retry;
  /** RFC 9457 `title`: the same for every occurrence of the code. */
  readonly title: string;
}

/**
 * The closed set of error codes of the whole system with what each means over HTTP.
 * A code is also the `ApplicationFailure.type` inside Temporal and the `code` of ledger events.
 */
export const errors = {
  // The request itself.
  INVALID_JSON: { status: 400, retry: "never", title: "The body is not valid JSON" },
  VALIDATION_FAILED: { status: 400, retry: "never", title: "The request does not fit its schema" },
  REQUEST_TIMEOUT: { status: 408, retry: "backoff", title: "The request took too long to arrive" },
  PAYLOAD_TOO_LARGE: { status: 413, retry: "never", title: "The body is too large" },
  URI_TOO_LONG: { status: 414, retry: "never", title: "The path is too long" },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retry: "never", title: "The body must be application/json" },
  HEADERS_TOO_LARGE: { status: 431, retry: "never", title: "The headers are too large" },
  PARAMETER_UNSUPPORTED: { status: 400, retry: "never", title: "A parameter that this service does not have" },
  ROUTE_NOT_FOUND: { status: 404, retry: "never", title: "No such route" },
  // Who is asking.
  UNAUTHENTICATED: { status: 401, retry: "never", title: "A valid bearer token is required" },
  MFA_REQUIRED: { status: 401, retry: "never", title: "This user needs a valid one-time code" },
  FORBIDDEN: { status: 403, retry: "never", title: "The principal lacks the right for this" },
  PRINCIPAL_MISMATCH: { status: 403, retry: "never", title: "The body names another principal than the token" },
  IDENTITY_DENIED: {
    status: 403,
    retry: "never",
    title: "The identity service grants none of the capabilities asked for",
  },
  ACCESS_REVOKED: {
    status: 403,
    retry: "never",
    title: "The token that the session was started with was revoked",
  },
  TOKEN_NOT_ACCEPTED: { status: 400, retry: "never", title: "A token of the request is not valid, or not for this" },
  DELEGATION_TOO_DEEP: { status: 403, retry: "never", title: "The token was passed on as often as one can be" },
  GATEWAY_REQUIRED: { status: 403, retry: "never", title: "Only the gateway may call this service" },
  LOGIN_REFUSED: { status: 401, retry: "never", title: "The login was refused" },
  // Tenants and their keys.
  TENANT_NOT_FOUND: { status: 404, retry: "never", title: "No such tenant" },
  TENANT_ID_TAKEN: { status: 409, retry: "never", title: "The tenant id is in use" },
  TENANT_CHANGED: { status: 409, retry: "never", title: "The tenant was changed by somebody else meanwhile" },
  TENANT_SUSPENDED: { status: 403, retry: "never", title: "The tenant is suspended" },
  API_KEY_NOT_FOUND: { status: 404, retry: "never", title: "No such API key" },
  RATE_LIMITED: { status: 429, retry: "backoff", title: "The tenant sends more requests than it may" },
  CONCURRENCY_LIMITED: { status: 429, retry: "backoff", title: "The tenant has more requests under way than it may" },
  QUOTA_EXCEEDED: { status: 429, retry: "backoff", title: "The tenant's quota is used up" },
  // Sessions.
  SESSION_NOT_FOUND: { status: 404, retry: "never", title: "No such session" },
  SESSION_ID_TAKEN: { status: 409, retry: "never", title: "The session id is in use" },
  ACTION_NOT_ALLOWED: { status: 409, retry: "never", title: "The session's state does not allow this action" },
  SESSION_BUSY: {
    status: 409,
    retry: "never",
    title: "The session is busy; wait, or send busy: enqueue, interrupt or rollback",
  },
  SESSION_PAUSED: { status: 409, retry: "never", title: "The session is paused" },
  TRANSITION_NOT_ALLOWED: { status: 409, retry: "never", title: "The session's state does not allow this event" },
  QUEUE_FULL: { status: 429, retry: "backoff", title: "Too many messages wait in the session" },
  TURN_INTERRUPTED: { status: 409, retry: "never", title: "The turn was interrupted by a later message" },
  IDEMPOTENCY_IN_PROGRESS: { status: 409, retry: "backoff", title: "The first request with this key is still running" },
  IDEMPOTENCY_KEY_REUSED: { status: 422, retry: "never", title: "The idempotency key was used with another body" },
  SESSION_CANCELED: { status: 409, retry: "never", title: "The session was canceled" },
  SESSION_TIMED_OUT: { status: 504, retry: "never", title: "The session reached its time limit" },
  ANSWER_NOT_IN_TIME: { status: 504, retry: "never", title: "The session goes on; its answer was not there in time" },
  ANSWER_CHANGED: { status: 409, retry: "never", title: "The answer was begun anew after a part of it was sent" },
  SESSION_TERMINATED: { status: 409, retry: "never", title: "The session's workflow was ended from outside" },
  SESSION_LOST: { status: 409, retry: "never", title: "Temporal does not know the session's workflow any more" },
  START_INCOMPLETE: { status: 409, retry: "never", title: "The session's start was not finished; start another one" },
  TOO_MANY_STREAMS: { status: 429, retry: "backoff", title: "Too many event streams are open" },
  // Policy and permits.
  POLICY_DENIED: { status: 403, retry: "never", title: "Policy denied the action" },
  POLICY_UNAVAILABLE: { status: 503, retry: "backoff", title: "The policy engine gave no answer" },
  POLICY_BAD_RESPONSE: {
    status: 503,
    retry: "backoff",
    title: "The policy engine gave an answer that cannot be trusted",
  },
  OBLIGATION_UNMET: { status: 403, retry: "never", title: "Policy asks for an obligation that cannot be met" },
  APPROVAL_REQUIRED: { status: 403, retry: "never", title: "The action needs an approval that is not there" },
  APPROVAL_NOT_FOUND: { status: 404, retry: "never", title: "The session has no such approval" },
  APPROVAL_MISMATCH: { status: 409, retry: "never", title: "The approval is for another action" },
  APPROVAL_CLOSED: { status: 409, retry: "never", title: "The approval is not open any more" },
  APPROVAL_EXPIRED: { status: 409, retry: "never", title: "The approval was not given in time" },
  APPROVAL_DENIED: { status: 403, retry: "never", title: "An approver denied the action" },
  OWN_REQUEST: { status: 403, retry: "never", title: "Nobody approves what was asked for in his own name" },
  BUDGET_EXCEEDED: { status: 409, retry: "never", title: "The session's budget is used up" },
  PRICE_UNKNOWN: { status: 422, retry: "never", title: "The model has no price, so no money budget can hold it" },
  PERMIT_INVALID: { status: 403, retry: "never", title: "The permit does not fit the action" },
  PERMIT_EXPIRED: { status: 403, retry: "never", title: "The permit has expired" },
  // Upstreams.
  IDENTITY_UNAVAILABLE: { status: 503, retry: "backoff", title: "The identity service gave no answer" },
  IDENTITY_BAD_RESPONSE: {
    status: 503,
    retry: "backoff",
    title: "The identity service gave an answer that cannot be trusted",
  },
  MODEL_UNAVAILABLE: { status: 503, retry: "backoff", title: "The model gave no answer" },
  MODEL_BAD_RESPONSE: { status: 503, retry: "backoff", title: "The model gave an answer that cannot be read" },
  MODEL_REJECTED: { status: 422, retry: "never", title: "The model refused the request" },
  MODEL_TOKEN_REFUSED: { status: 503, retry: "never", title: "The model service refused the step's token" },
  MODEL_NOT_FOUND: { status: 422, retry: "never", title: "The model service has no model of this name" },
  MODEL_PROMPT_TOO_LONG: { status: 422, retry: "never", title: "The prompt is longer than the model can take" },
  MEMORY_UNAVAILABLE: { status: 503, retry: "backoff", title: "The memory gateway gave no answer" },
  MEMORY_BAD_RESPONSE: {
    status: 503,
    retry: "backoff",
    title: "The memory gateway gave an answer that cannot be read",
  },
  MEMORY_REJECTED: { status: 422, retry: "never", title: "The memory gateway refused the request" },
  MEMORY_TOKEN_REFUSED: { status: 503, retry: "never", title: "The memory gateway refused the step's token" },
  MEMORY_NOT_FOUND: { status: 404, retry: "never", title: "Nothing is remembered under this key" },
  ORCHESTRATOR_UNAVAILABLE: { status: 503, retry: "backoff", title: "The orchestrator gave no answer" },
  TEMPORAL_UNAVAILABLE: { status: 503, retry: "backoff", title: "Temporal cannot be reached" },
  // Evidence.
  AUDIT_UNAVAILABLE: { status: 503, retry: "backoff", title: "The ledger cannot be written" },
  AUDIT_BACKLOG_FULL: { status: 503, retry: "backoff", title: "Too many audit events wait for Kafka" },
  EVENT_CONFLICT: { status: 409, retry: "never", title: "The event id is recorded with other content" },
  CONTENT_ERASED: { status: 410, retry: "never", title: "The text was erased" },
  CONTENT_KEY_UNAVAILABLE: { status: 503, retry: "backoff", title: "The text's key cannot be used" },
  CONTENT_UNREADABLE: { status: 410, retry: "never", title: "The text cannot be decrypted" },
  SESSION_ENDED: { status: 409, retry: "never", title: "The session has ended" },
  // The service.
  NOT_READY: { status: 503, retry: "backoff", title: "The service is not ready" },
  INTERNAL: { status: 500, retry: "backoff", title: "The service failed" },
} as const satisfies Record<string, ErrorRow>;

/** One of the closed set of error codes. */
export type ErrorCode = keyof typeof errors;

/** True when a string is one of the closed set. */
export function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(errors, value);
}

/** Codes that no retry policy repeats; for `nonRetryableErrorTypes`. */
export function nonRetryableCodes(): ErrorCode[] {
  return Object.keys(errors).filter((code): code is ErrorCode => isErrorCode(code) && errors[code].retry === "never");
}

/**
 * Codes after which no retry policy tries a session's step again. A suspension is waited for, though the same request
 * would be refused; a day's quota is not, though it comes back: by then nobody waits for the answer. Nor is room for one
 * more message: what is asked of a session after it would wait with it, a pause as well.
 */
export function stepEndingCodes(): ErrorCode[] {
  return [...nonRetryableCodes().filter((code) => code !== "TENANT_SUSPENDED"), "QUOTA_EXCEEDED", "QUEUE_FULL"];
}
