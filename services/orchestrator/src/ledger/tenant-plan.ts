import { genesisHash } from "@soma/contracts/audit";
import { tenantSubject, type TenantEvent, type TenantNewEvent } from "@soma/contracts/tenant-events";
import { eventId, type SealedEvent } from "./event-chain.ts";
import { eventConflict, tenantChanged, tenantIdTaken, tenantNotFound } from "./refusals.ts";
import { saysTheSameOfTenant, sealTenantEvent } from "./tenant-chain.ts";
import type { TenantHead } from "./tenant-head.ts";
import { projectTenant } from "./tenant-projection.ts";
import type { TenantAppend } from "./tenant-store.ts";

/** What an append comes to, worked out from the tenant that is locked and the events that are recorded. */
export interface TenantPlan {
  readonly head: TenantHead;
  readonly events: readonly SealedEvent<TenantEvent>[];
  /** The tenant is new. */
  readonly created: boolean;
}

/** The one tenant that an append is about. @throws TypeError when it is about none, or about several */
export function tenantOfAppend({ events, created }: TenantAppend): string {
  const tenants = new Set([...events, ...(created === undefined ? [] : [created])].map(({ tenant }) => tenant));
  const [tenant] = tenants;
  if (tenant === undefined || events.length === 0 || tenants.size > 1)
    throw new TypeError("an append of events of one tenant, at least one");
  return tenant;
}

/** The ids that an append may find recorded. */
export function tenantEventIds({ events }: TenantAppend): string[] {
  return events.map(tenantEventId);
}

/** @throws what the append is refused with */
export function planTenantAppend(
  input: TenantAppend,
  before: TenantHead | undefined,
  recorded: ReadonlyMap<string, TenantEvent>,
  now: () => Date,
): TenantPlan {
  const sealed = new Map<string, SealedEvent<TenantEvent>>();
  let head = before;
  const first = before === undefined && input.created !== undefined ? [input.created] : [];
  for (const event of [...first, ...input.events]) {
    const id = tenantEventId(event);
    const known = sealed.get(id)?.event ?? recorded.get(id);
    if (known !== undefined) {
      if (saysTheSameOfTenant(known, event)) continue;
      throw event.type === "tenant.created" ? tenantIdTaken() : eventConflict();
    }
    if (event.type === "tenant.created" && head !== undefined) throw tenantIdTaken();
    if (event.type !== "tenant.created" && head === undefined) throw tenantNotFound();
    if (input.version !== undefined && before?.row.version !== input.version) throw tenantChanged();
    const place = { sequence: (head?.row.last_seq ?? 0) + 1, prevhash: head?.lastHash ?? genesisHash };
    const next = sealTenantEvent(event, { ...place, time: now().toISOString() });
    head = { row: projectTenant(head?.row, next.event), lastHash: next.event.hash };
    sealed.set(id, next);
  }
  if (head === undefined) throw tenantNotFound();
  return { head, events: [...sealed.values()], created: before === undefined };
}

function tenantEventId({ tenant, key }: TenantNewEvent): string {
  return eventId(tenant, tenantSubject(tenant), key);
}
