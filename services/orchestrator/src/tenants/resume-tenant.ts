import { randomUUIDv7 } from "node:crypto";
import type { TenantId } from "@soma/contracts/ids";
import type { TenantActionRequest, TenantView } from "@soma/contracts/tenant";
import type { Manager } from "../access/manager.ts";
import { decideChange } from "./decide-change.ts";
import { findTenant } from "./find-tenant.ts";
import { recordChange } from "./record-change.ts";
import { actorOf } from "./tenant-actor.ts";
import type { TenantDeps } from "./tenant-deps.ts";
import { viewTenant } from "./tenant-view.ts";

/**
 * Ends a suspension: sessions start again, and those that paused go on by themselves. The manager is one of the
 * installation's.
 *
 * @throws DomainError TENANT_NOT_FOUND, POLICY_DENIED, IDEMPOTENCY_KEY_REUSED
 */
export async function resumeTenant(
  deps: TenantDeps,
  manager: Manager,
  tenant: TenantId,
  body: TenantActionRequest,
  idempotencyKey: string | undefined,
): Promise<TenantView> {
  const row = await findTenant(deps, manager, tenant);
  const decision = await decideChange(deps, manager, { action: "platform.manage", tenant });
  if (row.status === "active" && idempotencyKey === undefined) return viewTenant(row);
  const request = { operation: `resume ${tenant}`, body, idempotencyKey };
  return recordChange(deps, manager, request, {
    events: [
      {
        ...actorOf(manager),
        tenant,
        type: "tenant.resumed",
        key: `tenant.resumed/${randomUUIDv7()}`,
        data: { ...decision, ...body },
      },
    ],
  });
}
