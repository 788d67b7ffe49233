import type { NewEvent } from "@soma/contracts/audit";
import type { ActivityDeps } from "./activity-deps.ts";
import { findKnownSession } from "./known-session.ts";
import type { SessionActivities } from "./session-activities.ts";
import { openEffectOutcomes } from "./session-end.ts";
import { eventContext } from "./step-events.ts";

/** Records that a session goes on without its memory, and the outcome of the step if it was begun. Local, idempotent. */
export function createSkipMemory(deps: ActivityDeps): SessionActivities["skip-memory"] {
  return async ({ tenant, session_id, step, code }) => {
    const row = await findKnownSession(deps, tenant, session_id);
    const key = `${step}/memory.skipped`;
    if (await deps.ledger.findEvent(row.tenant, row.session_id, key)) return;
    const skipped: NewEvent = { ...eventContext(row), type: "memory.skipped", key, data: { step, code } };
    const open = await openEffectOutcomes(deps.ledger, row, code, (each) => each === step);
    await deps.ledger.append([...open, skipped]);
  };
}
