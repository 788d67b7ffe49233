import { Context } from "@temporalio/activity";
import { checkPermit } from "../permits/permit.ts";
import { sealToken } from "../permits/token-seal.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { findKnownSession } from "./known-session.ts";
import { mintStepToken } from "./mint-step-token.ts";
import type { SessionActivities } from "./session-activities.ts";
import { passTenantGate } from "./tenant-gate.ts";
import { recordingOutage } from "./waiting.ts";

/**
 * Mints the token of one step. What leaves this activity is sealed for the workers; the token itself is in no history
 * and no event.
 */
export function createIssueIdentityToken(deps: ActivityDeps): SessionActivities["issue-identity-token"] {
  return async (untrusted, action, audience) => {
    const permit = checkPermit(deps.keys.permit, untrusted, action, deps.now());
    const known = await findKnownSession(deps, permit.tenant, permit.session_id);
    const row = await passTenantGate(deps, known, permit.step);
    const signal = Context.current().cancellationSignal;
    const { minted, issued } = await recordingOutage(deps, row, permit.step, () =>
      mintStepToken(deps, { row, permit, action, audience, renewal: 0, signal }),
    );
    return {
      jti: issued.jti,
      expires_at: issued.expires_at,
      scopes: issued.scopes,
      sealed: sealToken(deps.keys.seal, minted.token, permit.effect_key),
    };
  };
}
