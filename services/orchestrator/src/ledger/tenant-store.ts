import type { Digest } from "@soma/contracts/ids";
import type { TenantUsage } from "@soma/contracts/tenant";
import type { TenantEvent, TenantNewEvent } from "@soma/contracts/tenant-events";
import type { DayUse } from "./tenant-days.ts";
import type { TenantRow } from "./tenant-row.ts";

/** The first event of a tenant. */
export type TenantCreated = Extract<TenantNewEvent, { type: "tenant.created" }>;

export interface TenantAppend {
  /** All of one tenant. */
  readonly events: readonly TenantNewEvent[];
  /** Recorded before them when the tenant is not there yet. */
  readonly created?: TenantCreated;
  /** The version that the change was made for; another one is refused. */
  readonly version?: number;
  /** The same key with the same request within 24 h gives what the first one came to, and records nothing. */
  readonly change?: { readonly key: string; readonly requestDigest: Digest };
}

export interface TenantAppended {
  /** The tenant after these events; with a repeated key, after the first request with it. */
  readonly row: TenantRow;
  /** True when nothing was written, because all of it was recorded before. */
  readonly duplicate: boolean;
}

export interface TenantDay {
  readonly tenant: string;
  /** `2026-11-21`, in UTC. */
  readonly day: string;
}

/**
 * Tenants: a ledger each, chained and relayed as a session's, its projection, and what counts against their quotas.
 * Rejects with `AUDIT_UNAVAILABLE` as the ledger does.
 */
export interface TenantStore {
  /**
   * Appends all or nothing, in one transaction with projection and idempotency key.
   *
   * @throws DomainError `TENANT_NOT_FOUND`, `TENANT_ID_TAKEN` for a second creation, `TENANT_CHANGED`,
   * `EVENT_CONFLICT`, `IDEMPOTENCY_KEY_REUSED`
   */
  append(input: TenantAppend): Promise<TenantAppended>;

  find(tenant: string): Promise<TenantRow | undefined>;

  /** Tenants by id, those after one. For the installation's own admins, and for nothing else. */
  list(query: { readonly after: string; readonly limit: number }): Promise<readonly TenantRow[]>;

  /** A tenant's own events with `sequence` above `after`, in order. */
  readEvents(query: {
    readonly tenant: string;
    readonly after: number;
    readonly limit: number;
  }): Promise<readonly TenantEvent[]>;

  usage(query: TenantDay): Promise<TenantUsage>;

  /** What was used on a day, and what is set aside of it for effects that are under way. */
  useOn(query: TenantDay): Promise<DayUse>;

  /** Tenants, by id, whose newest change the identity service has not taken over. For the announcer, and for nothing else. */
  unannounced(query: { readonly after: string; readonly limit: number }): Promise<readonly TenantRow[]>;

  /** Remembers that the identity service has taken a version over; one that is older than what is remembered says nothing. */
  acknowledge(input: { readonly tenant: string; readonly version: number }): Promise<void>;
}

/** The day in UTC that a time belongs to. */
export function dayOf(time: Date | string): string {
  return (typeof time === "string" ? time : time.toISOString()).slice(0, 10);
}
