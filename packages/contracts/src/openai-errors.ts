import { errors, type ErrorCode } from "./error-codes.ts";
import type { OpenaiError } from "./openai.ts";

/** Below these paths every refusal has OpenAI's shape, whoever refuses. */
export const openaiPaths = { chat: "/v1/chat", responses: "/v1/responses", models: "/v1/models" } as const;

type OpenaiErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "permission_error"
  | "not_found_error"
  | "conflict_error"
  | "rate_limit_error"
  | "server_error";

interface OpenaiErrorRow {
  readonly type: OpenaiErrorType;
  /** OpenAI's own code where it has one; else ours in lower case. */
  readonly code?: string;
  /** Where OpenAI's clients expect another status than our problem documents have. */
  readonly status?: number;
}

const request = { type: "invalid_request_error" } as const;
const permission = { type: "permission_error" } as const;
const notFound = { type: "not_found_error" } as const;
const conflict = { type: "conflict_error" } as const;
const server = { type: "server_error" } as const;
const limit = { type: "rate_limit_error" } as const;

/**
 * What each of our error codes is to an OpenAI client. The status decides which exception its SDK throws
 * (openai-node `src/core/error.ts`, openai-python `_client.py`: `_make_status_error`).
 */
export const openaiErrors: Readonly<Record<ErrorCode, OpenaiErrorRow>> = {
  INVALID_JSON: request,
  VALIDATION_FAILED: { ...request, code: "invalid_value" },
  REQUEST_TIMEOUT: request,
  PAYLOAD_TOO_LARGE: request,
  URI_TOO_LONG: request,
  UNSUPPORTED_MEDIA_TYPE: request,
  HEADERS_TOO_LARGE: request,
  PARAMETER_UNSUPPORTED: { ...request, code: "unsupported_parameter" },
  ROUTE_NOT_FOUND: { ...request, code: "unknown_url" },
  UNAUTHENTICATED: { type: "authentication_error", code: "invalid_api_key" },
  MFA_REQUIRED: { type: "authentication_error" },
  FORBIDDEN: { ...permission, code: "insufficient_permissions" },
  PRINCIPAL_MISMATCH: permission,
  IDENTITY_DENIED: permission,
  ACCESS_REVOKED: permission,
  TOKEN_NOT_ACCEPTED: request,
  DELEGATION_TOO_DEEP: permission,
  GATEWAY_REQUIRED: permission,
  LOGIN_REFUSED: { type: "authentication_error" },
  TENANT_NOT_FOUND: notFound,
  TENANT_ID_TAKEN: conflict,
  TENANT_CHANGED: conflict,
  TENANT_SUSPENDED: permission,
  API_KEY_NOT_FOUND: notFound,
  RATE_LIMITED: { ...limit, code: "rate_limit_exceeded" },
  CONCURRENCY_LIMITED: { ...limit, code: "rate_limit_exceeded" },
  QUOTA_EXCEEDED: { ...limit, code: "insufficient_quota" },
  SESSION_NOT_FOUND: notFound,
  SESSION_ID_TAKEN: conflict,
  ACTION_NOT_ALLOWED: conflict,
  SESSION_BUSY: conflict,
  SESSION_PAUSED: conflict,
  TRANSITION_NOT_ALLOWED: conflict,
  QUEUE_FULL: { ...limit, code: "rate_limit_exceeded" },
  TURN_INTERRUPTED: conflict,
  IDEMPOTENCY_IN_PROGRESS: conflict,
  IDEMPOTENCY_KEY_REUSED: request,
  SESSION_CANCELED: conflict,
  SESSION_TIMED_OUT: server,
  ANSWER_NOT_IN_TIME: server,
  ANSWER_CHANGED: conflict,
  SESSION_TERMINATED: conflict,
  SESSION_LOST: conflict,
  START_INCOMPLETE: conflict,
  TOO_MANY_STREAMS: { ...limit, code: "rate_limit_exceeded" },
  POLICY_DENIED: permission,
  POLICY_UNAVAILABLE: server,
  POLICY_BAD_RESPONSE: server,
  OBLIGATION_UNMET: permission,
  APPROVAL_REQUIRED: permission,
  APPROVAL_NOT_FOUND: notFound,
  APPROVAL_MISMATCH: conflict,
  APPROVAL_CLOSED: conflict,
  APPROVAL_EXPIRED: conflict,
  APPROVAL_DENIED: permission,
  OWN_REQUEST: permission,
  BUDGET_EXCEEDED: { ...limit, code: "insufficient_quota", status: 429 },
  PRICE_UNKNOWN: request,
  PERMIT_INVALID: permission,
  PERMIT_EXPIRED: permission,
  IDENTITY_UNAVAILABLE: server,
  IDENTITY_BAD_RESPONSE: server,
  MODEL_UNAVAILABLE: server,
  MODEL_BAD_RESPONSE: server,
  MODEL_REJECTED: { ...request, status: 400 },
  MODEL_TOKEN_REFUSED: server,
  MODEL_NOT_FOUND: { ...request, code: "model_not_found", status: 404 },
  MODEL_PROMPT_TOO_LONG: { ...request, code: "context_length_exceeded", status: 400 },
  MEMORY_UNAVAILABLE: server,
  MEMORY_BAD_RESPONSE: server,
  MEMORY_REJECTED: request,
  MEMORY_TOKEN_REFUSED: server,
  MEMORY_NOT_FOUND: notFound,
  ORCHESTRATOR_UNAVAILABLE: server,
  TEMPORAL_UNAVAILABLE: server,
  AUDIT_UNAVAILABLE: server,
  AUDIT_BACKLOG_FULL: server,
  EVENT_CONFLICT: conflict,
  CONTENT_ERASED: request,
  CONTENT_KEY_UNAVAILABLE: server,
  CONTENT_UNREADABLE: request,
  SESSION_ENDED: conflict,
  NOT_READY: server,
  INTERNAL: server,
};

/** The HTTP status that an OpenAI client is given for a code. */
export function openaiStatus(code: ErrorCode): number {
  return openaiErrors[code].status ?? errors[code].status;
}

/** The error document of OpenAI's API; `pointer` is the JSON pointer of the field to blame: `/messages/0` is `messages.0`. */
export function openaiErrorBody(code: ErrorCode, message: string, pointer?: string): OpenaiError {
  const { type, code: told = code.toLowerCase() } = openaiErrors[code];
  const param = pointer?.replace(/^\/(headers\/)?/, "").replaceAll("/", ".") ?? "";
  return { error: { message, type, param: param === "" ? null : param, code: told } };
}
