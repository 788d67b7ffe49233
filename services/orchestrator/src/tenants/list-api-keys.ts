import type { ApiKeyPage } from "@soma/contracts/api-key";
import type { TenantId } from "@soma/contracts/ids";
import { requireReach, type Manager } from "../access/manager.ts";
import { findTenant } from "./find-tenant.ts";
import type { TenantDeps } from "./tenant-deps.ts";

/**
 * The tenant's keys, without their secrets.
 *
 * @throws DomainError FORBIDDEN, TENANT_NOT_FOUND, IDENTITY_UNAVAILABLE
 */
export async function listApiKeys(deps: TenantDeps, manager: Manager, tenant: TenantId): Promise<ApiKeyPage> {
  requireReach(manager, "key.manage");
  await findTenant(deps, manager, tenant);
  return deps.identityTenants.listKeys(tenant);
}
