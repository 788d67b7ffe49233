import { randomBytes, timingSafeEqual } from "node:crypto";
import type { TokenRefusal } from "@soma/contracts/access";
import { isTenantId, isUserId } from "@soma/contracts/ids";
import type { TokenClaims } from "@soma/contracts/identity";
import { orchestratorAudience } from "@soma/contracts/wire-names";
import type { RevocationStore } from "../state/revocation-store.ts";
import type { ApiKeyRecord } from "../state/api-key-store.ts";
import { grantCapabilities } from "../tokens/grant-capabilities.ts";
import { apiKeyLimits } from "./api-key-limits.ts";
import { readApiKeyText, userOfKey } from "./api-key-text.ts";
import type { ApiKeyDeps } from "./create-api-key.ts";

export interface VerifyKeyDeps extends ApiKeyDeps {
  readonly revocations: RevocationStore;
  readonly issuer: string;
}

/** What a secret is compared with when there is no such key; nothing has this digest. */
const nobodys = randomBytes(32);

/**
 * The key that a text is with its secret, or why it is none. A wrong secret and an unknown id cost the same
 * and are the same to whoever asks: a digest, a look-up, a comparison in constant time.
 */
export function findApiKey(
  { apiKeys }: Pick<ApiKeyDeps, "apiKeys">,
  text: string,
): ApiKeyRecord | "malformed" | "unknown_key" {
  const read = readApiKeyText(text);
  if (read === undefined) return "malformed";
  const isRight = timingSafeEqual(apiKeys.secretDigestOf(read.keyId, nobodys), read.secretDigest);
  return (isRight ? apiKeys.find(read.keyId) : undefined) ?? "unknown_key";
}

/**
 * Judges an API key as of now, and says of it what a token would say of itself: user and token id are `key:<key_id>`,
 * the audience is the orchestrator. Its end counts to the second: both clocks that it hangs on are ours.
 */
export function verifyApiKey(deps: VerifyKeyDeps, text: string, audience?: string): TokenClaims | TokenRefusal {
  const key = findApiKey(deps, text);
  if (typeof key === "string") return key;
  if (audience !== undefined && audience !== orchestratorAudience) return "audience";
  const now = Math.floor(deps.clock() / 1_000);
  const id = userOfKey(key.keyId);
  if (key.revokedAt !== undefined || deps.revocations.isRevoked(id)) return "revoked";
  if (key.expiresAt <= now) return "expired";
  const principal = deps.principals.find(key.tenant, id);
  if (principal === undefined || !isUserId(id) || !isTenantId(key.tenant)) return "rights_changed";
  if (grantCapabilities(key.scopes, { tenant: key.tenant, ...principal }).length < key.scopes.length)
    return "rights_changed";
  deps.apiKeys.use(key.keyId, now, apiKeyLimits.useSeconds);
  return {
    iss: deps.issuer,
    sub: id,
    aud: orchestratorAudience,
    jti: id,
    iat: key.createdAt,
    exp: key.expiresAt,
    tenant_id: key.tenant,
    scope: key.scopes.join(" "),
    role: key.role,
  };
}
