import { orchestratorAudience } from "@soma/contracts/wire-names";
import type { Registry } from "../registry/parse-registry.ts";
import type { RevocationStore } from "../state/revocation-store.ts";
import { tokenLimits } from "../token-limits.ts";
import { readToken, type VerifyDeps } from "./verify-token.ts";

interface RevokeDeps extends VerifyDeps {
  readonly revocations: RevocationStore;
}

/**
 * Ends the token that the caller holds, with all that derives from it. True when it will not be accepted from now on
 * because of this call or one before, also when its rights were taken away meanwhile; false when it was none of ours or
 * had expired, which is not told apart.
 */
export async function revokeByToken(deps: RevokeDeps, token: string): Promise<boolean> {
  const genuine = await readToken(deps, token);
  if (!genuine.valid) return false;
  const { jti, aud, exp } = genuine.claims;
  // What derives from a token outlives it only through a session, which asks for new tokens as long as it goes on.
  const keepUntil = leadsToSessions(deps.registry(), aud) ? untilNothingDerives(deps) : exp + tokenLimits.leewaySeconds;
  deps.revocations.revoke(jti, keepUntil);
  return true;
}

/** Ends whatever token has this id, also one that has expired, with all that derives from it. */
export function revokeById(deps: RevokeDeps, jti: string): boolean {
  deps.revocations.revoke(jti, untilNothingDerives(deps));
  return true;
}

/** True for the audience that starts sessions and for those whose tokens can be exchanged for one that does. */
function leadsToSessions(registry: Registry, audience: string): boolean {
  if (audience === orchestratorAudience) return true;
  return [...registry.services.values()].some(
    ({ exchange }) => exchange.from.has(audience) && exchange.to.has(orchestratorAudience),
  );
}

function untilNothingDerives(deps: RevokeDeps): number {
  return Math.floor(deps.clock() / 1_000) + tokenLimits.lineageSeconds;
}
