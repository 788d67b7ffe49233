import type { TenantNewEvent } from "@soma/contracts/tenant-events";
import { DomainError } from "@soma/kit/domain-error";
import type { TenantStore } from "../ledger/tenant-store.ts";

/**
 * Appends an event to a tenant's ledger. One that is recorded under this key – by the same request, which broke off after
 * it – stays as it is.
 */
export async function recordOnce(tenants: Pick<TenantStore, "append">, event: TenantNewEvent): Promise<void> {
  try {
    await tenants.append({ events: [event] });
  } catch (error) {
    if (!(error instanceof DomainError && error.code === "EVENT_CONFLICT")) throw error;
  }
}
