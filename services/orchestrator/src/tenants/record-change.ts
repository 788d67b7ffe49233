import type { TenantView } from "@soma/contracts/tenant";
import { digestOf } from "@soma/kit/digest";
import type { Manager } from "../access/manager.ts";
import type { TenantAppend } from "../ledger/tenant-store.ts";
import type { TenantDeps } from "./tenant-deps.ts";
import { viewTenant } from "./tenant-view.ts";

/** A request as it may come again: with its key and the same body it means the same change. */
export interface ChangeRequest {
  readonly operation: string;
  readonly body: unknown;
  readonly idempotencyKey: string | undefined;
}

/**
 * Records a change, which is then in force here, and tells the identity service of it. The answer is what the tenant was
 * after it, also for a request that comes again.
 *
 * @throws DomainError as {@link TenantStore.append}
 */
export async function recordChange(
  deps: TenantDeps,
  manager: Manager,
  request: ChangeRequest,
  append: TenantAppend,
): Promise<TenantView> {
  const { row, duplicate } = await deps.ledger.tenants.append({ ...append, ...changeOf(manager, request) });
  if (!duplicate) {
    deps.snapshots.forget(row.tenant);
    await deps.announcer.announce(row);
  }
  return viewTenant(row);
}

/** Keys of different tenants and users are different keys. */
function changeOf(
  { tenant, user }: Manager,
  { operation, body, idempotencyKey }: ChangeRequest,
): Pick<TenantAppend, "change"> {
  if (idempotencyKey === undefined) return {};
  const key = `${tenant} ${user} ${idempotencyKey}`;
  return { change: { key, requestDigest: digestOf({ operation, body }) } };
}
