import { orchestratorAudience } from "@soma/contracts/wire-names";
import { isApiKeyText, keyOfUser } from "../api-keys/api-key-text.ts";
import { endApiKey } from "../api-keys/revoke-api-key.ts";
import { findApiKey } from "../api-keys/verify-api-key.ts";
import type { Registry } from "../registry/parse-registry.ts";
import { tokenLimits } from "../token-limits.ts";
import { readToken, type VerifyDeps } from "./verify-token.ts";

/**
 * Ends the token or API key that the caller holds, with all that derives from it. True when it will not be accepted from now on
 * because of this call or one before, also when its rights were taken away meanwhile; false when it was none of ours or
 * had expired, which is not told apart.
 */
export async function revokeByToken(deps: VerifyDeps, token: string): Promise<boolean> {
  if (isApiKeyText(token)) {
    const key = findApiKey(deps, token);
    if (typeof key === "string") return false;
    endApiKey(deps, key.keyId);
    return true;
  }
  const genuine = await readToken(deps, token);
  if (!genuine.valid) return false;
  const { jti, aud, exp } = genuine.claims;
  // What derives from a token outlives it only through a session, which asks for new tokens as long as it goes on.
  const keepUntil = leadsToSessions(deps.registry(), aud) ? untilNothingDerives(deps) : exp + tokenLimits.leewaySeconds;
  deps.revocations.revoke(jti, keepUntil);
  return true;
}

/** Ends whatever token or API key has this id, also one that has expired, with all that derives from it. */
export function revokeById(deps: VerifyDeps, jti: string): boolean {
  const keyId = keyOfUser(jti);
  if (keyId !== undefined) endApiKey(deps, keyId);
  else deps.revocations.revoke(jti, untilNothingDerives(deps));
  return true;
}

/** True for the audience that starts sessions and for those whose tokens can be exchanged for one that does. */
function leadsToSessions(registry: Registry, audience: string): boolean {
  if (audience === orchestratorAudience) return true;
  return [...registry.services.values()].some(
    ({ exchange }) => exchange.from.has(audience) && exchange.to.has(orchestratorAudience),
  );
}

function untilNothingDerives(deps: VerifyDeps): number {
  return Math.floor(deps.clock() / 1_000) + tokenLimits.lineageSeconds;
}
