import type { TenantId } from "@soma/contracts/ids";
import { managesPlatform, type Manager } from "../access/manager.ts";
import { tenantNotFound } from "../ledger/refusals.ts";
import type { TenantRow } from "../ledger/tenant-row.ts";
import { foundTenant } from "./found-tenant.ts";
import type { TenantDeps } from "./tenant-deps.ts";

/**
 * A tenant that the manager may reach: his own, or as one of the installation's admins any. For all others nothing is
 * looked up, so that a tenant of somebody else and one that never was are refused alike. His own comes to exist now if it does not yet: he has a token of it, so the
 * identity service knows it.
 *
 * @throws DomainError TENANT_NOT_FOUND
 */
export async function findTenant(
  deps: Pick<TenantDeps, "ledger">,
  manager: Manager,
  tenant: TenantId,
): Promise<TenantRow> {
  if (manager.tenant !== tenant && !managesPlatform(manager)) throw tenantNotFound();
  const row = await deps.ledger.tenants.find(tenant);
  if (row !== undefined) return row;
  if (manager.tenant !== tenant) throw tenantNotFound();
  return openTenant(deps, tenant);
}

/** The tenant, made by the service itself where it is no object yet: only for tenants that the identity service knows. */
export async function openTenant({ ledger }: Pick<TenantDeps, "ledger">, tenant: TenantId): Promise<TenantRow> {
  const row = await ledger.tenants.find(tenant);
  return row ?? (await ledger.tenants.append({ events: [foundTenant(tenant)] })).row;
}
