import { eventData, type AuditEvent, type EventData, type NewEvent } from "@soma/contracts/audit";
import { Budget } from "@soma/contracts/budget";
import { DigestSchema } from "@soma/contracts/ids";
import { BusyStrategySchema } from "@soma/contracts/session-action";
import { DomainError } from "@soma/kit/domain-error";
import { Type } from "typebox";
import { Value } from "typebox/value";
import { isGranted } from "../ledger/session-approvals.ts";
import { extend } from "../ledger/session-budget.ts";
import { firstTurn, turnOfNext } from "../ledger/session-turns.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { actionKeys } from "../sessions/action-keys.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { findKnownSession } from "./known-session.ts";
import type { AppliedAction, SessionActivities } from "./session-activities.ts";
import { eventContext } from "./step-events.ts";

type Decided = EventData<"action.decided">;

/**
 * Appends what an action comes to. What it is, whose, and that policy allowed it is read from the ledger, where the API
 * recorded it: whoever can only talk to Temporal can name an action here and cannot make one. Idempotent.
 *
 * @throws DomainError ACTION_NOT_ALLOWED, and what the append is refused with: the ledger decides between two at once
 */
export function createApplyAction(deps: ActivityDeps): SessionActivities["apply-action"] {
  return async ({ tenant, session_id, action_id, step }) => {
    const row = await findKnownSession(deps, tenant, session_id);
    const decided = await readDecided(deps, row, action_id);
    const applied =
      (await deps.ledger.findEvent(tenant, session_id, actionKeys.applied(action_id))) ??
      (await append(deps, row, decided, step));
    return appliedAction(deps, row, decided, applied);
  };
}

async function append(
  deps: ActivityDeps,
  row: SessionRow,
  decided: Decided,
  step: string,
): Promise<AuditEvent | undefined> {
  try {
    const [appended] = await deps.ledger.append([outcomeOf(row, decided, step)]);
    return appended?.event;
  } catch (error) {
    await recordRefusal(deps, row, decided, error);
    throw error;
  }
}

async function readDecided(deps: ActivityDeps, row: SessionRow, actionId: string): Promise<Decided> {
  const event = await deps.ledger.findEvent(row.tenant, row.session_id, actionKeys.decided(actionId));
  if (event === undefined) throw new DomainError("ACTION_NOT_ALLOWED", "No decision on this action is recorded.");
  const decided = Value.Parse(eventData["action.decided"], event.data);
  if (!decided.allowed) throw new DomainError("POLICY_DENIED", "Policy denied the action.");
  return decided;
}

const closed = { additionalProperties: false } as const;
const MessageArguments = Type.Object(
  { message_digest: DigestSchema, busy: BusyStrategySchema, final: Type.Boolean() },
  closed,
);
const ApprovalArguments = Type.Object({
  approval_id: Type.String(),
  action_digest: DigestSchema,
});

/** The event that carries an action out. */
function outcomeOf(row: SessionRow, decided: Decided, step: string): NewEvent {
  const { action, action_id, by } = decided;
  const context = { ...eventContext(row), key: actionKeys.applied(action_id) };
  switch (action) {
    case "message": {
      const { final, ...message } = Value.Parse(MessageArguments, decided.arguments);
      const turn = turnOfNext(row.turns ?? firstTurn);
      return {
        ...context,
        type: "message.received",
        data: { action_id, by, ...message, ...(final && { final }), turn },
      };
    }
    case "approve":
    case "deny": {
      const { approval_id, action_digest } = Value.Parse(ApprovalArguments, decided.arguments);
      assertApprover(row, decided, approval_id);
      const type = action === "approve" ? "approval.granted" : "approval.denied";
      return { ...context, type, data: { approval_id, action_id, by, action_digest } };
    }
    case "pause":
      return { ...context, type: "session.paused", data: { step, reason: "requested", action_id, by } };
    case "resume":
      if (row.paused?.reason === "tenant_suspended")
        throw new DomainError("ACTION_NOT_ALLOWED", "The session is paused because its tenant is suspended.");
      return { ...context, type: "session.resumed", data: { step, reason: "requested", action_id, by } };
    case "retry":
      return {
        ...context,
        type: "turn.started",
        data: { turn: row.turns?.turn ?? 1, message_digest: row.turns?.message_digest ?? row.prompt_digest },
      };
    case "extend-budget": {
      const added = Value.Parse(Budget, decided.arguments);
      if (row.budget === undefined) throw new DomainError("ACTION_NOT_ALLOWED", "The session has no budget.");
      return {
        ...context,
        type: "budget.extended",
        data: { action_id, by, added, limit: extend(row.budget, added).limit },
      };
    }
    case "cancel":
    case "terminate":
      throw new DomainError("ACTION_NOT_ALLOWED", `${action} does not take this way.`);
  }
}

/** The role is what the approver's token said when policy decided; without a token nobody approves anything. */
function assertApprover(row: SessionRow, { by_role, by_authn }: Decided, approvalId: string): void {
  if (by_authn !== "token")
    throw new DomainError("FORBIDDEN", "Approvals take a token that says who approves; call through the gateway.");
  const approval = row.approvals?.find(({ approval_id }) => approval_id === approvalId);
  if (approval !== undefined && approval.role !== by_role)
    throw new DomainError("FORBIDDEN", `This approval takes the role ${approval.role}.`);
}

async function appliedAction(
  deps: ActivityDeps,
  row: SessionRow,
  decided: Decided,
  applied: AuditEvent | undefined,
): Promise<AppliedAction> {
  switch (decided.action) {
    case "message": {
      const { action_id } = decided;
      const turn = Number(applied?.data["turn"]);
      return { kind: "message", action_id, ...Value.Parse(MessageArguments, decided.arguments), turn };
    }
    case "approve": {
      const { approval_id } = Value.Parse(ApprovalArguments, decided.arguments);
      const { approvals = [] } = await findKnownSession(deps, row.tenant, row.session_id);
      const waiting = approvals.some((one) => one.approval_id === approval_id && !isGranted(one));
      return { kind: "approval", approval_id, verdict: waiting ? "waiting" : "granted" };
    }
    case "deny":
      return {
        kind: "approval",
        approval_id: Value.Parse(ApprovalArguments, decided.arguments).approval_id,
        verdict: "denied",
      };
    case "pause":
      return { kind: "paused" };
    case "resume":
      return { kind: "resumed" };
    case "retry":
      return { kind: "retried" };
    case "extend-budget":
      return { kind: "extended" };
    case "cancel":
    case "terminate":
      throw new DomainError("ACTION_NOT_ALLOWED", `${decided.action} does not take this way.`);
  }
}

/** Who tried to decide on what, and why nothing came of it, is evidence; that a message came too early is not. */
async function recordRefusal(deps: ActivityDeps, row: SessionRow, decided: Decided, error: unknown): Promise<void> {
  if (!(error instanceof DomainError) || (decided.action !== "approve" && decided.action !== "deny")) return;
  const { action, action_id, by } = decided;
  const { approval_id } = Value.Parse(ApprovalArguments, decided.arguments);
  const event: NewEvent = {
    ...eventContext(row),
    type: "action.refused",
    key: actionKeys.refused(action_id),
    data: { action_id, action, by, code: error.code, approval_id },
  };
  // A session that has ended takes no event more; that it has is why the action was refused.
  await deps.ledger.append([event]).catch((failure: unknown) => {
    if (!(failure instanceof DomainError)) throw failure;
  });
}
