import { defaultQuotas } from "@soma/contracts/tenant";
import type { TenantCreated } from "../ledger/tenant-store.ts";

/** As whom the service itself stands in a tenant's ledger. */
export const serviceActor = { user: "service:orchestrator", agent: "orchestrator", authn: "service" } as const;

/**
 * The first event of a tenant that stands in the identity service's registry and was never made here: the service's own
 * doing, with the settings of a tenant that was given none.
 */
export function foundTenant(tenant: string): TenantCreated {
  return {
    ...serviceActor,
    type: "tenant.created",
    key: "tenant.created",
    tenant,
    data: { settings: { quotas: defaultQuotas, issuers: [] } },
  };
}
