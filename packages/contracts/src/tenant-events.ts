import { Type } from "typebox";
import { accessRefusals, type AccessRefusal } from "./access.ts";
import { TenantSettings } from "./tenant.ts";

const closed = { additionalProperties: false } as const;
const Decided = { decision_id: Type.String(), policy_version: Type.String() };
const Timestamp = Type.String({ description: "RFC 3339, UTC" });
const Reason = Type.Optional(Type.String());

/**
 * The shape of `data` for each event of a tenant's own ledger: what the tenant is, who changed it by which decision,
 * its keys, and who was refused at the door.
 */
export const tenantEventData = {
  "tenant.created": Type.Object({ ...Decided, settings: TenantSettings }, closed),
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
} as const;

export type TenantEventType = keyof typeof tenantEventData;
export type TenantEventData<T extends TenantEventType> = Type.Static<(typeof tenantEventData)[T]>;
