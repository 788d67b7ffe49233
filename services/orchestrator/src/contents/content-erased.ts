import { DomainError } from "@soma/kit/domain-error";

export function contentErased(): DomainError {
  return new DomainError("CONTENT_ERASED", "The text was erased with its key.");
}

/** What the stores' triggers say to a text that comes with a key which was destroyed meanwhile. */
const refusal = "the content key was destroyed";

export function keyWasDestroyed(error: unknown): boolean {
  return error instanceof Error && error.message.includes(refusal);
}
