import type { ActivityDeps } from "./activity-deps.ts";
import { findKnownSession } from "./known-session.ts";
import type { SessionActivities } from "./session-activities.ts";
import { eventContext } from "./step-events.ts";

/** Records that the message that waits longest is answered now. Local, idempotent. */
export function createBeginTurn(deps: ActivityDeps): SessionActivities["begin-turn"] {
  return async ({ tenant, session_id, ...data }) => {
    const row = await findKnownSession(deps, tenant, session_id);
    const key = `turn-${String(data.turn)}/started`;
    await deps.ledger.append([{ ...eventContext(row), type: "turn.started", key, data }]);
  };
}
