import type { TenantQuotas } from "@soma/contracts/tenant";
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

/** The same words for a tenant that never was and for one that is not the caller's. */
export function tenantNotFound(): DomainError {
  return new DomainError("TENANT_NOT_FOUND", "No tenant has this id.");
}

export function tenantIdTaken(): DomainError {
  return new DomainError("TENANT_ID_TAKEN", "The tenant id is in use; choose another one.");
}

export function tenantChanged(): DomainError {
  return new DomainError("TENANT_CHANGED", "The tenant has another version by now; read it again and decide anew.");
}

export function tenantSuspended(): DomainError {
  return new DomainError("TENANT_SUSPENDED", "The tenant is suspended: nothing starts until it is resumed.");
}

/** @param retryAfterSeconds when it may be worth to try again */
export function quotaExceeded(quota: keyof TenantQuotas, limit: number, retryAfterSeconds: number): DomainError {
  return new DomainError("QUOTA_EXCEEDED", `The tenant's quota ${quota} (${String(limit)}) is used up.`, {
    retryAfterSeconds,
  });
}
