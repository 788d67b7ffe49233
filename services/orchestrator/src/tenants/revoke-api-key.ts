import type { ApiKeyView } from "@soma/contracts/api-key";
import type { TenantId } from "@soma/contracts/ids";
import { DomainError } from "@soma/kit/domain-error";
import { requireReach, type Manager } from "../access/manager.ts";
import { decideChange } from "./decide-change.ts";
import { findTenant } from "./find-tenant.ts";
import { keyAction } from "./key-action.ts";
import { actorOf } from "./tenant-actor.ts";
import type { TenantDeps } from "./tenant-deps.ts";

/**
 * Ends a key and all that was started with it: recorded first, then done. Asked again it does nothing more. Also in a
 * suspended tenant: taking a right away is never too late.
 *
 * @throws DomainError FORBIDDEN, TENANT_NOT_FOUND, API_KEY_NOT_FOUND, POLICY_DENIED, IDENTITY_UNAVAILABLE
 */
export async function revokeApiKey(
  deps: TenantDeps,
  manager: Manager,
  tenant: TenantId,
  keyId: string,
): Promise<ApiKeyView> {
  requireReach(manager, "key.manage");
  await findTenant(deps, manager, tenant);
  const { keys } = await deps.identityTenants.listKeys(tenant);
  const key = keys.find(({ key_id }) => key_id === keyId);
  if (key === undefined) throw new DomainError("API_KEY_NOT_FOUND", "No API key of the tenant has this id.");
  const decision = await decideChange(deps, manager, { action: keyAction(manager, tenant), tenant });
  if (key.revoked_at !== undefined) return key;
  try {
    await deps.ledger.tenants.append({
      events: [
        {
          ...actorOf(manager),
          tenant,
          type: "api_key.revoked",
          key: `api_key.revoked/${keyId}`,
          data: { ...decision, key_id: keyId },
        },
      ],
    });
  } catch (error) {
    // Recorded before, by a call that did not get as far as the identity service.
    if (!(error instanceof DomainError && error.code === "EVENT_CONFLICT")) throw error;
  }
  return deps.identityTenants.revokeKey(tenant, keyId);
}
