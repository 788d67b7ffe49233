import type { ErrorCode } from "@soma/contracts/error-codes";
import { DomainError } from "@soma/kit/domain-error";

/** For `assert.rejects`: a domain error with this code and no other. */
export function code(expected: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof DomainError && error.code === expected;
}
