import type { AccessRefusal } from "@soma/contracts/access";
import type { ErrorCode } from "@soma/contracts/error-codes";
import { AccessRefused } from "./access-refused.ts";

/** A refusal that says when to come again; whole seconds, one at least (RFC 9110, 10.2.3). */
export function tooManyOf(reason: AccessRefusal, code: ErrorCode, detail: string, waitMs: number): AccessRefused {
  return new AccessRefused(reason, code, detail, { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)) });
}
