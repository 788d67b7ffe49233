import type { ErrorCode, FieldError, Problem } from "./shapes.ts";

/**
 * What goes wrong on this side of the wire: no connection, no answer in time, an answer that is not the API's, a
 * stream that came to nothing again and again.
 */
export const clientErrorCodes = ["CONNECTION_FAILED", "TIMED_OUT", "BAD_RESPONSE", "STREAM_LOST"] as const;
export type ClientErrorCode = (typeof clientErrorCodes)[number];

interface SomaErrorOptions {
  /** HTTP status; 0 when there was no answer. */
  readonly status?: number;
  readonly title?: string;
  readonly requestId: string;
  readonly fields?: readonly FieldError[];
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** The one error that the client throws; a signal's own reason, when the caller aborts, apart. */
export class SomaError extends Error {
  override readonly name = "SomaError";
  /** One of the API's closed set or of this client's; a newer server may know more. */
  readonly code: ErrorCode | ClientErrorCode;
  readonly status: number;
  readonly title: string;
  /** Says what to do about it; the same text as `message`. */
  readonly detail: string;
  /** Finds the request in the server's logs; the client chooses it, so that it is known without an answer, too. */
  readonly requestId: string;
  /** Which fields of the request are not accepted, and what is. */
  readonly fields: readonly FieldError[];
  /** How long the server asks to wait. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode | ClientErrorCode, detail: string, options: SomaErrorOptions) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.status = options.status ?? 0;
    this.title = options.title ?? "The request did not come to an answer";
    this.detail = detail;
    this.requestId = options.requestId;
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** An answer that is not a success as an error: what its problem document (RFC 9457) says, or that it has none. */
export function errorOfAnswer(response: Response, text: string, requestId: string): SomaError {
  const retryAfterSeconds = readRetryAfter(response.headers.get("retry-after"));
  const problem = readProblem(text);
  const options = {
    status: response.status,
    requestId: problem?.request_id ?? response.headers.get("x-request-id") ?? requestId,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
  if (!problem) {
    const detail = `The answer has status ${String(response.status)} and is not one of this API: something before it answered.`;
    return new SomaError("BAD_RESPONSE", detail, { ...options, title: "The answer cannot be read" });
  }
  const { code, detail, title, errors = [] } = problem;
  return new SomaError(code, detail, { ...options, title, fields: errors });
}

function readProblem(text: string): Problem | undefined {
  try {
    const value: Partial<Problem> | null = JSON.parse(text);
    const { code, detail, title, request_id: requestId } = value ?? {};
    const isProblem = [code, detail, title, requestId].every((member) => typeof member === "string");
    if (!isProblem) return undefined;
    const problem: Problem = JSON.parse(text);
    return problem;
  } catch {
    return undefined;
  }
}

/** RFC 9110, section 10.2.3: seconds or a date. */
function readRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}
