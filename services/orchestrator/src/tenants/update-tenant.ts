import { randomUUIDv7 } from "node:crypto";
import type { TenantId } from "@soma/contracts/ids";
import type { TenantSettings, TenantView, UpdateTenantRequest } from "@soma/contracts/tenant";
import { digestOf } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import { managesPlatform, requirePlatform, requireReach, type Manager } from "../access/manager.ts";
import { tenantChanged, tenantSuspended } from "../ledger/refusals.ts";
import { decideChange } from "./decide-change.ts";
import { findTenant } from "./find-tenant.ts";
import { recordChange } from "./record-change.ts";
import { actorOf } from "./tenant-actor.ts";
import type { TenantDeps } from "./tenant-deps.ts";
import { viewTenant } from "./tenant-view.ts";

/** How often somebody else may be faster while a change that names no version is made. */
const maxRaces = 5;

/**
 * Changes what is named and leaves the rest. What a tenant may use is the installation's to say.
 *
 * @throws DomainError FORBIDDEN, TENANT_NOT_FOUND, TENANT_CHANGED, TENANT_SUSPENDED for the tenant's own managers,
 * POLICY_DENIED, IDEMPOTENCY_KEY_REUSED
 */
export async function updateTenant(
  deps: TenantDeps,
  manager: Manager,
  tenant: TenantId,
  body: UpdateTenantRequest,
  idempotencyKey: string | undefined,
): Promise<TenantView> {
  requireReach(manager, "tenant.manage");
  if (body.quotas !== undefined) requirePlatform(manager);
  let row = await findTenant(deps, manager, tenant);
  if (row.status === "suspended" && !managesPlatform(manager)) throw tenantSuspended();
  const action = managesPlatform(manager) ? "platform.manage" : "tenant.manage";
  const decision = await decideChange(deps, manager, { action, tenant });
  const request = { operation: `update ${tenant}`, body, idempotencyKey };
  for (let race = 1; ; race += 1) {
    const settings = merged(row.settings, body);
    const unchanged = digestOf(settings) === digestOf(row.settings);
    if (unchanged && idempotencyKey === undefined) {
      if (body.version !== undefined && body.version !== row.version) throw tenantChanged();
      return viewTenant(row);
    }
    const event = {
      ...actorOf(manager),
      tenant,
      type: "tenant.updated",
      key: `tenant.updated/${randomUUIDv7()}`,
      data: { ...decision, settings },
    } as const;
    try {
      return await recordChange(deps, manager, request, { events: [event], version: body.version ?? row.version });
    } catch (error) {
      const lost = error instanceof DomainError && error.code === "TENANT_CHANGED";
      if (!lost || body.version !== undefined || race >= maxRaces) throw error;
      row = await findTenant(deps, manager, tenant);
    }
  }
}

function merged(
  before: TenantSettings,
  { version: _version, quotas, ...changes }: UpdateTenantRequest,
): TenantSettings {
  return { ...before, ...changes, quotas: { ...before.quotas, ...quotas } };
}
