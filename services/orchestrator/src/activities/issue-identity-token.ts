import { Context } from "@temporalio/activity";
import type { EventData } from "@soma/contracts/audit";
import { checkPermit } from "../permits/permit.ts";
import { sealToken } from "../permits/token-seal.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { findKnownSession } from "./known-session.ts";
import type { SessionActivities } from "./session-activities.ts";
import { eventContext, recoveredEvents, stepKeys } from "./step-events.ts";
import { recordingOutage } from "./waiting.ts";

/** At most five minutes: long enough for a step that has to wait its turn, short enough to be worthless soon. */
const ttlSeconds = 300;

/**
 * Mints the token of one step: the one capability that its action needs, for one audience, narrowed by what user and
 * agent may do. What leaves this activity is sealed for the workers; the token itself is in no history and no event.
 */
export function createIssueIdentityToken(deps: ActivityDeps): SessionActivities["issue-identity-token"] {
  return async (untrusted, action, audience) => {
    const permit = checkPermit(deps.keys.permit, untrusted, action, deps.now());
    const row = await findKnownSession(deps, permit.tenant, permit.session_id);
    const minted = await recordingOutage(deps, row, permit.step, () =>
      deps.identity.issue(
        {
          user_id: row.user,
          tenant_id: row.tenant,
          agent_id: row.agent,
          capabilities: [action.action],
          audience,
          ttl_seconds: ttlSeconds,
          session_id: row.session_id,
          step: permit.step,
        },
        Context.current().cancellationSignal,
      ),
    );
    const { jti, exp, scope } = minted.claims;
    const issued: EventData<"token.issued"> = {
      step: permit.step,
      effect_key: permit.effect_key,
      decision_id: permit.decision_id,
      jti,
      audience,
      scopes: scope.split(" "),
      expires_at: new Date(exp * 1000).toISOString(),
    };
    await deps.ledger.append([
      ...recoveredEvents(row, permit.step, "identity-service"),
      // Keyed by the token: a rerun mints another one, and both stand in the ledger.
      {
        ...eventContext(row),
        type: "token.issued",
        key: `${stepKeys.tokenIssued(permit.step, permit.round)}/${jti}`,
        data: issued,
      },
    ]);
    return {
      jti,
      expires_at: issued.expires_at,
      scopes: issued.scopes,
      sealed: sealToken(deps.keys.seal, minted.token, permit.effect_key),
    };
  };
}
