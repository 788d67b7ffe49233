import { DomainError } from "@soma/kit/domain-error";

/** The one answer for a ledger that cannot be used; the reason is private. */
export function auditUnavailable(cause: unknown): DomainError {
  return new DomainError("AUDIT_UNAVAILABLE", "The ledger cannot be used at the moment.", { cause });
}
