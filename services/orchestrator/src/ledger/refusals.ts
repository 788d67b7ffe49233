import { DomainError } from "@soma/kit/domain-error";

/** The same words for an id that never was and for one of another tenant. */
export function sessionNotFound(): DomainError {
  return new DomainError("SESSION_NOT_FOUND", "No session has this id.");
}

export function eventConflict(): DomainError {
  return new DomainError("EVENT_CONFLICT", "The event is recorded with other content.");
}

export function idempotencyKeyReused(): DomainError {
  return new DomainError("IDEMPOTENCY_KEY_REUSED", "The idempotency key was used with another body.");
}
