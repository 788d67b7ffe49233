import { Type } from "typebox";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type TenantId = Branded<"TenantId">;
export type SessionId = Branded<"SessionId">;
export type UserId = Branded<"UserId">;
/** `sha256:` and 64 lowercase hex digits. */
export type Digest = `sha256:${string}`;

export const tenantIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const userPattern = /^[A-Za-z0-9][A-Za-z0-9._@:+-]{0,127}$/;
// "session-" is the prefix of workflow ids: an id that began with it could be read as both.
const sessionPattern = /^(?!session-)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;

export const TenantIdSchema = Type.Unsafe<TenantId>(
  Type.String({
    pattern: tenantIdPattern.source,
    description: "Letters, digits, dot, underscore, hyphen; at most 64.",
  }),
);
export const UserIdSchema = Type.Unsafe<UserId>(
  Type.String({ pattern: userPattern.source, description: "Letters, digits and ._@:+-; at most 128." }),
);
export const SessionIdSchema = Type.Unsafe<SessionId>(
  Type.String({
    pattern: sessionPattern.source,
    description: "Letters, digits, dot, underscore, hyphen; at most 128; not beginning with 'session-'.",
  }),
);
export const DigestSchema = Type.Unsafe<Digest>(
  Type.String({ pattern: digestPattern.source, description: "SHA-256 as sha256:<64 hex digits>." }),
);

export function isTenantId(value: string): value is TenantId {
  return tenantIdPattern.test(value);
}
export function isUserId(value: string): value is UserId {
  return userPattern.test(value);
}
export function isSessionId(value: string): value is SessionId {
  return sessionPattern.test(value);
}
export function isDigest(value: string): value is Digest {
  return digestPattern.test(value);
}
