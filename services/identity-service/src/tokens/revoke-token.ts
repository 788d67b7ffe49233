import type { RevocationStore } from "../state/revocation-store.ts";
import { tokenLimits } from "../token-limits.ts";
import { verifyToken, type VerifyDeps } from "./verify-token.ts";

interface RevokeDeps extends VerifyDeps {
  readonly revocations: RevocationStore;
}

/**
 * Ends the token that the caller holds. True when it will not be accepted from now on because of this call or one
 * before; false when it was none of ours or had expired, which is not told apart.
 */
export async function revokeByToken(deps: RevokeDeps, token: string): Promise<boolean> {
  const verification = await verifyToken(deps, token);
  if (!verification.valid) return verification.reason === "revoked";
  const { jti, exp } = verification.claims;
  deps.revocations.revoke(jti, exp + tokenLimits.leewaySeconds);
  return true;
}

/**
 * Ends whatever token has this id. Issued tokens are not kept, so the id is remembered for as long as any token that
 * exists now can live.
 */
export function revokeById(deps: RevokeDeps, jti: string): boolean {
  const now = Math.floor(deps.clock() / 1_000);
  deps.revocations.revoke(jti, now + tokenLimits.userTtlSeconds + 2 * tokenLimits.leewaySeconds);
  return true;
}
