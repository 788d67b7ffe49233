import type { TenantUsage } from "@soma/contracts/tenant";
import type { TenantView } from "@soma/contracts/tenant";
import type { TenantRow } from "../ledger/tenant-row.ts";
import { dayOf } from "../ledger/tenant-store.ts";
import type { TenantDeps } from "./tenant-deps.ts";

/** A tenant as its managers see it. */
export function viewTenant({ settings, last_seq: _lastSeq, ...row }: TenantRow, usage?: TenantUsage): TenantView {
  return { ...row, ...settings, ...(usage !== undefined && { usage: { ...usage } }) };
}

/** What the tenant uses of its quotas now. */
export function usageNow({ ledger, now }: Pick<TenantDeps, "ledger" | "now">, tenant: string): Promise<TenantUsage> {
  return ledger.tenants.usage({ tenant, day: dayOf(now()) });
}
