import { eventData, type EventData, type NewEvent } from "@soma/contracts/audit";
import { approvalSeconds } from "@soma/contracts/session-action";
import { digestOfParts } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import { Value } from "typebox/value";
import type { SessionRow } from "../ledger/session-row.ts";
import { neededApproval } from "../permits/needed-approval.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { findKnownSession } from "./known-session.ts";
import type { SessionActivities } from "./session-activities.ts";
import { eventContext, stepKeys } from "./step-events.ts";

type Asked = EventData<"approval.requested">;

/**
 * Asks people to approve what policy has decided on: this very action, by its digest, within a time. Local, idempotent:
 * the same step and round ask once.
 */
export function createRequestApproval(deps: ActivityDeps): SessionActivities["request-approval"] {
  return async ({ tenant, session_id, step, round }) => {
    const row = await findKnownSession(deps, tenant, session_id);
    const key = `${step}/approval.requested/${String(round)}`;
    const recorded = await deps.ledger.findEvent(tenant, session_id, key);
    const asked = recorded
      ? Value.Parse(eventData["approval.requested"], recorded.data)
      : await ask(deps, row, { step, round, key });
    const expires_in_ms = Math.max(0, Date.parse(asked.expires_at) - deps.now().getTime());
    return { approval_id: asked.approval_id, expires_in_ms };
  };
}

async function ask(
  deps: ActivityDeps,
  row: SessionRow,
  { step, round, key }: { step: string; round: number; key: string },
): Promise<Asked> {
  const event = await deps.ledger.findEvent(row.tenant, row.session_id, stepKeys.decided(step, round));
  const decided = event && Value.Parse(eventData["policy.decided"], event.data);
  const needed = decided && neededApproval(decided.obligations);
  if (!needed) throw new DomainError("INTERNAL", "No decision asks for an approval of this step.");
  const seconds = Math.min(needed.expires_in_seconds ?? approvalSeconds, approvalSeconds);
  const data: Asked = {
    approval_id: `apr_${digestOfParts(row.tenant, row.session_id, step, String(round)).slice(7, 39)}`,
    step,
    action: decided.action,
    resource: decided.resource,
    action_digest: decided.action_digest,
    effect_key: decided.effect_key,
    decision_id: decided.decision_id,
    requested_by: row.turns?.asked_by ?? row.user,
    role: needed.role,
    quorum: needed.quorum ?? 1,
    expires_at: new Date(deps.now().getTime() + seconds * 1_000).toISOString(),
    reasons: decided.reasons,
  };
  // One that was given for this step when it was to do something else counts no more.
  const stale = (row.approvals ?? []).filter(({ effect_key }) => effect_key === data.effect_key);
  const context = eventContext(row);
  const events: NewEvent[] = [];
  for (const { approval_id } of stale) {
    const changed = { approval_id, reason: "action_changed" } as const;
    events.push({ ...context, type: "approval.voided", key: `${approval_id}/voided`, data: changed });
  }
  events.push({ ...context, type: "approval.requested", key, data });
  await deps.ledger.append(events);
  return data;
}
