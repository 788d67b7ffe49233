import type { TenantEvent } from "@soma/contracts/tenant-events";
import type { TenantRow } from "./tenant-row.ts";
import { typedTenantEvent } from "./typed-tenant-event.ts";

/**
 * The tenant after one more event. Pure: replaying a tenant's events gives what the ledger holds.
 *
 * @throws TypeError for an event that is not the next of this tenant
 */
export function projectTenant(before: TenantRow | undefined, event: TenantEvent): TenantRow {
  const typed = typedTenantEvent(event);
  if (typed.type === "tenant.created") {
    if (before !== undefined || event.sequence !== 1) throw new TypeError("a tenant is created once, first");
    return {
      tenant: event.tenant,
      status: "active",
      settings: typed.data.settings,
      version: event.sequence,
      last_seq: event.sequence,
      created_at: event.time,
      updated_at: event.time,
    };
  }
  if (before === undefined) throw new TypeError(`${event.type} cannot be a tenant's first event`);
  if (event.tenant !== before.tenant || event.sequence !== before.last_seq + 1)
    throw new TypeError(`event ${event.sequence} does not follow event ${before.last_seq} of this tenant`);
  const after = { ...before, last_seq: event.sequence };
  const changed = { ...after, version: event.sequence, updated_at: event.time };
  switch (typed.type) {
    case "tenant.updated":
      return { ...changed, settings: typed.data.settings };
    case "tenant.suspended":
      return { ...changed, status: "suspended" };
    case "tenant.resumed":
      return { ...changed, status: "active" };
    case "api_key.created":
    case "api_key.revoked":
    case "change.denied":
    case "access.refused":
    case "sessions.stop_requested":
    case "sessions.stopped":
    case "subject.erasure_requested":
    case "subject.erased":
    case "retention.applied":
      return after;
    default:
      return neverAnEvent(typed);
  }
}

function neverAnEvent(typed: never): never {
  throw new TypeError(`no projection for ${JSON.stringify(typed)}`);
}
