import { TenantIdSchema } from "@soma/contracts/ids";
import { TenantSettings, tenantStatuses, type TenantStatus } from "@soma/contracts/tenant";
import { Type } from "typebox";

/** What a tenant's events say about it, and nothing else: replaying the events gives the same value. */
export const TenantRow = Type.Object(
  {
    tenant: TenantIdSchema,
    status: Type.Unsafe<TenantStatus>(Type.String({ enum: tenantStatuses })),
    settings: TenantSettings,
    /** Position of the newest change. */
    version: Type.Integer({ minimum: 1 }),
    last_seq: Type.Integer({ minimum: 1 }),
    created_at: Type.String(),
    updated_at: Type.String(),
  },
  { additionalProperties: false },
);
export type TenantRow = Type.Static<typeof TenantRow>;
