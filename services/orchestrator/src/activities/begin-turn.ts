import { eventData, type EventData } from "@soma/contracts/audit";
import { Value } from "typebox/value";
import type { SessionRow } from "../ledger/session-row.ts";
import { actionKeys } from "../sessions/action-keys.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { findKnownSession } from "./known-session.ts";
import type { SessionActivities } from "./session-activities.ts";
import { eventContext } from "./step-events.ts";

/**
 * Records that the message that waits longest is answered now. Which one that is, the ledger says: a workflow whose task
 * was done over may have taken its messages in another order. Local, idempotent.
 */
export function createBeginTurn(deps: ActivityDeps): SessionActivities["begin-turn"] {
  return async ({ tenant, session_id, turn }) => {
    const row = await findKnownSession(deps, tenant, session_id);
    const started = await begin(deps, row, turn);
    if (started?.action_id === undefined) return undefined;
    const { action_id, message_digest } = started;
    const message = await deps.ledger.findEvent(tenant, session_id, actionKeys.applied(action_id));
    return { action_id, message_digest, final: message?.data["final"] === true };
  };
}

async function begin(
  deps: ActivityDeps,
  row: SessionRow,
  turn: number,
): Promise<EventData<"turn.started"> | undefined> {
  const key = `turn-${String(turn)}/started`;
  const recorded = await deps.ledger.findEvent(row.tenant, row.session_id, key);
  if (recorded !== undefined) return Value.Parse(eventData["turn.started"], recorded.data);
  const next = row.turns?.waiting[0];
  if (next === undefined) return undefined;
  const data = { turn, message_digest: next.message_digest, action_id: next.action_id };
  await deps.ledger.append([{ ...eventContext(row), type: "turn.started", key, data }]);
  return data;
}
