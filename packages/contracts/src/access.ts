import { Type } from "typebox";
import { TenantIdSchema } from "./ids.ts";

const closed = { additionalProperties: false } as const;

/** Why a token is not valid: a class for metrics and access events, never an answer to who sent it. */
export const tokenRefusals = [
  "malformed",
  "header",
  "algorithm",
  "type",
  "unknown_key",
  "signature",
  "issuer",
  "audience",
  "expired",
  "not_yet_valid",
  "claims",
  "revoked",
  "rights_changed",
] as const;
export type TokenRefusal = (typeof tokenRefusals)[number];

/**
 * Why the door refused a request: one class for each check, and the classes of bad tokens; `approval`: an approval or a
 * denial for a session that is not there, or has ended.
 */
export const accessRefusals = [
  "size",
  "content_type",
  "no_token",
  ...tokenRefusals,
  "tenant_mismatch",
  "tenant_suspended",
  "scope",
  "rate",
  "concurrency",
  "streams",
  "quota",
  "schema",
  "approval",
] as const;
export type AccessRefusal = (typeof accessRefusals)[number];

/**
 * Refusals of one kind within a window, counted: a flood is one line of it, not a million. Without a tenant – no token
 * said one – it is the platform's to know.
 */
export const AccessReport = Type.Object(
  {
    report_id: Type.String({
      pattern: "^[A-Za-z0-9._:-]{1,128}$",
      description: "The same report sent again is the same event",
    }),
    tenant: Type.Optional(TenantIdSchema),
    reason: Type.Unsafe<AccessRefusal>(Type.String({ enum: accessRefusals })),
    count: Type.Integer({ minimum: 1 }),
    first_at: Type.String({ description: "RFC 3339, UTC" }),
    last_at: Type.String({ description: "RFC 3339, UTC" }),
  },
  closed,
);
export type AccessReport = Type.Static<typeof AccessReport>;

/** `POST /v1/access-reports`; from the gateway alone. Answered with 204 once it is in the ledgers. */
export const AccessReports = Type.Object({ reports: Type.Array(AccessReport, { minItems: 1, maxItems: 256 }) }, closed);
export type AccessReports = Type.Static<typeof AccessReports>;
