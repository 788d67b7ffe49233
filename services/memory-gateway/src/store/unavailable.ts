import { DomainError } from "@soma/kit/domain-error";

/** The store cannot do it now. */
export function storeUnavailable(cause: unknown): DomainError {
  return new DomainError("MEMORY_UNAVAILABLE", "The memory's database cannot be used now; try again.", { cause });
}
