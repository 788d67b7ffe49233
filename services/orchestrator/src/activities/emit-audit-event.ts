import type { ActivityDeps } from "./activity-deps.ts";
import { findKnownSession } from "./known-session.ts";
import type { SessionActivities } from "./session-activities.ts";
import { sessionEndEvents } from "./session-end.ts";

/**
 * Records how the session ended, in one append: the outcome of a step that was intended and not completed, and the
 * session's last event. Local, idempotent.
 */
export function createEmitAuditEvent(deps: ActivityDeps): SessionActivities["emit-audit-event"] {
  return async ({ tenant, session_id, end }) => {
    const row = await findKnownSession(deps, tenant, session_id);
    const appended = await deps.ledger.append(await sessionEndEvents(deps.ledger, row, end));
    if (appended.some(({ duplicate }) => !duplicate)) deps.metrics.ended.inc({ status: end.status });
  };
}
