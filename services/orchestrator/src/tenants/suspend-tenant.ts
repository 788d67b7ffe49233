import { randomUUIDv7 } from "node:crypto";
import type { TenantId } from "@soma/contracts/ids";
import type { TenantActionRequest, TenantView } from "@soma/contracts/tenant";
import { platformTenant } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import type { Manager } from "../access/manager.ts";
import { decideChange } from "./decide-change.ts";
import { findTenant } from "./find-tenant.ts";
import { recordChange } from "./record-change.ts";
import { actorOf } from "./tenant-actor.ts";
import type { TenantDeps } from "./tenant-deps.ts";
import { viewTenant } from "./tenant-view.ts";

/**
 * From now on nothing starts in the tenant, and what runs pauses before its next effect; reads go on. The manager is one
 * of the installation's, whose own tenant cannot be suspended: nobody could resume it.
 *
 * @throws DomainError FORBIDDEN, TENANT_NOT_FOUND, POLICY_DENIED, IDEMPOTENCY_KEY_REUSED
 */
export async function suspendTenant(
  deps: TenantDeps,
  manager: Manager,
  tenant: TenantId,
  body: TenantActionRequest,
  idempotencyKey: string | undefined,
): Promise<TenantView> {
  if (tenant === platformTenant)
    throw new DomainError("FORBIDDEN", "The installation's own tenant cannot be suspended.");
  const row = await findTenant(deps, manager, tenant);
  const decision = await decideChange(deps, manager, { action: "platform.manage", tenant });
  if (row.status === "suspended" && idempotencyKey === undefined) return viewTenant(row);
  const request = { operation: `suspend ${tenant}`, body, idempotencyKey };
  return recordChange(deps, manager, request, {
    events: [
      {
        ...actorOf(manager),
        tenant,
        type: "tenant.suspended",
        key: `tenant.suspended/${randomUUIDv7()}`,
        data: { ...decision, ...body },
      },
    ],
  });
}
