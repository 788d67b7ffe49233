import type { NewEvent } from "@soma/contracts/audit";
import type { SessionRow } from "../ledger/session-row.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { findKnownSession } from "./known-session.ts";
import type { SessionActivities, SessionEnd } from "./session-activities.ts";
import { effectKeyOf } from "../permits/permit.ts";
import { eventContext, stepKeys } from "./step-events.ts";

/**
 * Records how the session ended, in one append: the outcome of a step that was intended and not completed, and the
 * session's last event. Local, idempotent.
 */
export function createEmitAuditEvent(deps: ActivityDeps): SessionActivities["emit-audit-event"] {
  return async ({ tenant, session_id, end }) => {
    const row = await findKnownSession(deps, tenant, session_id);
    const failed = await openEffectOutcome(deps, row, end);
    const appended = await deps.ledger.append([...failed, endEvent(row, end)]);
    if (appended.some(({ duplicate }) => !duplicate)) deps.metrics.ended.inc({ status: end.status });
  };
}

/** Only an effect that was really intended can have an outcome: a step that never got so far leaves nothing open. */
async function openEffectOutcome(deps: ActivityDeps, row: SessionRow, end: SessionEnd): Promise<NewEvent[]> {
  if (end.status !== "failed" && end.status !== "canceled") return [];
  const events = await deps.ledger.readEvents({
    tenant: row.tenant,
    sessionId: row.session_id,
    after: 0,
    limit: row.last_seq,
  });
  const ofStep = (type: NewEvent["type"]): boolean =>
    events.some((event) => event.type === type && event.data["step"] === end.step);
  if (!ofStep("effect.intended") || ofStep("effect.completed")) return [];
  const effect_key = effectKeyOf({ ...row, step: end.step });
  const code = end.status === "canceled" ? "SESSION_CANCELED" : end.error.code;
  return [
    {
      ...eventContext(row),
      type: "effect.failed",
      key: stepKeys.failed(end.step),
      data: { step: end.step, effect_key, code },
    },
  ];
}

function endEvent(row: SessionRow, end: SessionEnd): NewEvent {
  const context = eventContext(row);
  switch (end.status) {
    case "completed":
      return {
        ...context,
        type: "session.completed",
        key: "session.end",
        data: { result_digest: end.result.text_digest, usage: end.result.usage },
      };
    case "denied":
      return {
        ...context,
        type: "session.denied",
        key: "session.end",
        data: {
          code: end.error.code,
          step: end.step,
          ...(end.decision && { decision_id: end.decision.decision_id }),
          reasons: end.decision?.reasons ?? [],
        },
      };
    case "failed":
      return { ...context, type: "session.failed", key: "session.end", data: { code: end.error.code, step: end.step } };
    case "canceled":
      return { ...context, type: "session.canceled", key: "session.end", data: {} };
  }
}
