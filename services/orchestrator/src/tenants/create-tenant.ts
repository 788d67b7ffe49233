import { defaultQuotas, type CreateTenantRequest, type TenantSettings, type TenantView } from "@soma/contracts/tenant";
import type { Manager } from "../access/manager.ts";
import { openTenant } from "./find-tenant.ts";
import { decideChange } from "./decide-change.ts";
import { recordChange } from "./record-change.ts";
import { actorOf } from "./tenant-actor.ts";
import type { TenantDeps } from "./tenant-deps.ts";

/**
 * Makes a tenant; the manager is one of the installation's.
 *
 * @throws DomainError POLICY_DENIED, TENANT_ID_TAKEN, IDEMPOTENCY_KEY_REUSED
 */
export async function createTenant(
  deps: TenantDeps,
  manager: Manager,
  body: CreateTenantRequest,
  idempotencyKey: string | undefined,
): Promise<TenantView> {
  const { tenant } = body;
  // A denial is told in the ledger of the installation's own tenant: this one has none yet.
  await openTenant(deps, manager.tenant);
  const decision = await decideChange(deps, manager, {
    action: "platform.manage",
    tenant,
    recordedIn: manager.tenant,
  });
  const request = { operation: "create", body, idempotencyKey };
  return recordChange(deps, manager, request, {
    events: [
      {
        ...actorOf(manager),
        tenant,
        type: "tenant.created",
        key: "tenant.created",
        data: { ...decision, settings: settingsOf(body) },
      },
    ],
  });
}

function settingsOf({ tenant: _tenant, quotas, issuers = [], ...rest }: CreateTenantRequest): TenantSettings {
  return { ...rest, quotas: { ...defaultQuotas, ...quotas }, issuers };
}
