import { randomUUIDv7 } from "node:crypto";
import type { TenantId } from "@soma/contracts/ids";
import type { TenantActionRequest, TenantStatus, TenantView } from "@soma/contracts/tenant";
import { platformTenant } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import type { Manager } from "../access/manager.ts";
import { decideChange } from "./decide-change.ts";
import { findTenant } from "./find-tenant.ts";
import { recordChange } from "./record-change.ts";
import { actorOf } from "./tenant-actor.ts";
import type { TenantDeps } from "./tenant-deps.ts";
import { viewTenant } from "./tenant-view.ts";

/** What each action of a tenant leads to, and how the ledger tells of it. */
const switches = {
  suspend: { to: "suspended", type: "tenant.suspended" },
  resume: { to: "active", type: "tenant.resumed" },
} as const satisfies Record<string, { to: TenantStatus; type: string }>;
export type TenantSwitch = keyof typeof switches;

/**
 * Suspended, nothing starts in the tenant, and what runs pauses before its next effect; reads go on. Resumed, sessions
 * start again, and those that paused go on by themselves. The manager is one of the installation's, whose own tenant
 * cannot be suspended: nobody could resume it.
 *
 * @throws DomainError FORBIDDEN, TENANT_NOT_FOUND, POLICY_DENIED, IDEMPOTENCY_KEY_REUSED
 */
export async function switchTenant(
  deps: TenantDeps,
  manager: Manager,
  tenant: TenantId,
  {
    action,
    body,
    idempotencyKey,
  }: {
    readonly action: TenantSwitch;
    readonly body: TenantActionRequest;
    readonly idempotencyKey: string | undefined;
  },
): Promise<TenantView> {
  if (action === "suspend" && tenant === platformTenant)
    throw new DomainError("FORBIDDEN", "The installation's own tenant cannot be suspended.");
  const row = await findTenant(deps, manager, tenant);
  const decision = await decideChange(deps, manager, { action: "platform.manage", tenant });
  const { to, type } = switches[action];
  if (row.status === to && idempotencyKey === undefined) return viewTenant(row);
  const request = { operation: `${action} ${tenant}`, body, idempotencyKey };
  const key = `${type}/${randomUUIDv7()}`;
  const event = { ...actorOf(manager), tenant, type, key, data: { ...decision, ...body } };
  return recordChange(deps, manager, request, { events: [event] });
}
