import { Type } from "typebox";
import { accessRefusals, type AccessRefusal } from "./access.ts";
import { AuditEvent } from "./audit.ts";
import { DigestSchema, TenantIdSchema, tenantIdPattern, UserIdSchema } from "./ids.ts";
import { MemoryErasureSchema, StopScopeSchema } from "./stop.ts";
import { TenantSettings } from "./tenant.ts";
import type { AuthenticationKind } from "./wire-names.ts";

const closed = { additionalProperties: false } as const;
const Decided = { decision_id: Type.String(), policy_version: Type.String() };
const Timestamp = Type.String({ description: "RFC 3339, UTC" });
const Reason = Type.Optional(Type.String());
const Count = Type.Integer({ minimum: 0 });

/**
 * The shape of `data` for each event of a tenant's own ledger: what the tenant is, who changed it by which decision,
 * its keys, and who was refused at the door.
 */
export const tenantEventData = {
  "tenant.created": Type.Object(
    {
      decision_id: Type.Optional(
        Type.String({ description: "Absent when the service itself made it, at the first session of a known tenant" }),
      ),
      policy_version: Type.Optional(Type.String()),
      settings: TenantSettings,
    },
    closed,
  ),
  "tenant.updated": Type.Object({ ...Decided, settings: TenantSettings }, closed),
  "tenant.suspended": Type.Object({ ...Decided, reason: Reason }, closed),
  "tenant.resumed": Type.Object({ ...Decided, reason: Reason }, closed),
  "api_key.created": Type.Object(
    {
      ...Decided,
      key_id: Type.String(),
      name: Type.String(),
      role: Type.String(),
      scopes: Type.Array(Type.String()),
      expires_at: Timestamp,
    },
    closed,
  ),
  "api_key.revoked": Type.Object({ ...Decided, key_id: Type.String() }, closed),
  "change.denied": Type.Object({ ...Decided, action: Type.String(), reasons: Type.Array(Type.String()) }, closed),
  "access.refused": Type.Object(
    {
      reason: Type.Unsafe<AccessRefusal>(Type.String({ enum: accessRefusals })),
      count: Type.Integer({ minimum: 1 }),
      first_at: Timestamp,
      last_at: Timestamp,
    },
    closed,
  ),
  "sessions.stop_requested": Type.Object(
    {
      ...Decided,
      stop_id: Type.String(),
      scope: StopScopeSchema,
      target: Type.Optional(Type.String()),
      reason: Type.String(),
    },
    closed,
  ),
  "sessions.stopped": Type.Object(
    {
      stop_id: Type.String(),
      stopped: Count,
      already_ended: Count,
      unknown: Count,
      tokens_revoked: Count,
      tokens_not_revoked: Count,
      list_digest: Type.Unsafe<Type.Static<typeof DigestSchema>>({
        ...DigestSchema,
        description: "Over the canonical JSON of the answer",
      }),
    },
    closed,
  ),
  "subject.erasure_requested": Type.Object(
    { ...Decided, erasure_id: Type.String(), subject: UserIdSchema, reason: Reason },
    closed,
  ),
  "subject.erased": Type.Object(
    {
      erasure_id: Type.String(),
      subject: UserIdSchema,
      stopped: Count,
      keys_destroyed: Count,
      memory: MemoryErasureSchema,
    },
    closed,
  ),
  "retention.applied": Type.Object(
    {
      before: Type.String({ description: "RFC 3339, UTC: sessions that ended before" }),
      sessions: Count,
      events: Count,
      list_digest: Type.Unsafe<Type.Static<typeof DigestSchema>>({
        ...DigestSchema,
        description:
          "Over the canonical JSON of the list of [session, sequence of its last cut event, hash of that event], by session",
      }),
    },
    closed,
  ),
} as const;

export type TenantEventType = keyof typeof tenantEventData;
export type TenantEventData<T extends TenantEventType> = Type.Static<(typeof tenantEventData)[T]>;

/** An event of a tenant's ledger as a writer hands it in; the ledger adds position, time and chain. */
export type TenantNewEvent = {
  [T in TenantEventType]: {
    readonly type: T;
    /** What makes the id deterministic within the tenant's stream. */
    readonly key: string;
    readonly tenant: string;
    readonly user: string;
    readonly agent: string;
    readonly authn: AuthenticationKind;
    readonly data: TenantEventData<T>;
  };
}[TenantEventType];

const subjectPrefix = "tenant:";
export type TenantSubject = `tenant:${string}`;

/** The stream of a tenant's own events. No session id holds a colon, so that the two cannot be taken for each other. */
export function tenantSubject(tenant: string): TenantSubject {
  return `${subjectPrefix}${tenant}`;
}

export function isTenantSubject(subject: string): subject is TenantSubject {
  return subject.startsWith(subjectPrefix);
}

/** One event of a tenant's ledger: the envelope, the chain and the bytes are those of a session's. */
export const TenantEvent = Type.Object(
  {
    ...AuditEvent.properties,
    source: Type.String({ description: "/tenants/<tenant>" }),
    type: Type.Unsafe<TenantEventType>(Type.String({ enum: Object.keys(tenantEventData) })),
    subject: Type.Unsafe<TenantSubject>(
      Type.String({ pattern: `^${subjectPrefix}${tenantIdPattern.source.slice(1)}` }),
    ),
  },
  closed,
);
export type TenantEvent = Type.Static<typeof TenantEvent>;

/** An event of either kind of ledger, as they stand in one order of commits and on one topic. */
export type LedgerEvent = AuditEvent | TenantEvent;

/** Tells the two kinds apart, for whoever reads them in one order. */
export function isTenantEvent(event: LedgerEvent): event is TenantEvent {
  return isTenantSubject(event.subject);
}

/** `GET /v1/tenants/{tenant}/events`. */
export const TenantEventPage = Type.Object(
  {
    tenant: TenantIdSchema,
    events: Type.Array(TenantEvent),
    next_after: Type.Optional(
      Type.Integer({ description: "Pass as `after` for the next page; absent when no event is left now" }),
    ),
  },
  closed,
);
export type TenantEventPage = Type.Static<typeof TenantEventPage>;
