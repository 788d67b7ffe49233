import { errors, type ErrorCode } from "@soma/contracts/error-codes";
import type { FieldError } from "@soma/contracts/problem";

interface DomainErrorOptions {
  /** Fields of the request that are to blame; shown to the caller. */
  readonly fields?: readonly FieldError[];
  /** The private reason; goes to the log, never to a caller. */
  readonly cause?: unknown;
  /** After how many seconds a retry makes sense; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number;
}

/**
 * An error of the closed set. `message` is public: it is written for the caller and holds no upstream text and no
 * user content; what is private stands in `cause`.
 *
 * @example throw new DomainError("SESSION_NOT_FOUND", "No session has this id.");
 */
export class DomainError extends Error {
  override readonly name = "DomainError";
  readonly code: ErrorCode;
  readonly fields: readonly FieldError[];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, publicDetail: string, options: DomainErrorOptions = {}) {
    super(publicDetail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds ?? (errors[code].status === 503 ? 2 : undefined);
  }
}
