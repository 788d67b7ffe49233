import type { Cause } from "@soma/contracts/diagnosis";
import { openOf, type ApprovalState } from "../ledger/session-approvals.ts";
import { reservedTotal } from "../ledger/session-budget.ts";
import { timeOf, type Facts } from "./facts.ts";

/** What the session itself says that it waits for. */
export function recordedCauses(facts: Facts): Cause[] {
  return [...canceling(facts), ...pauses(facts), ...approvals(facts), ...budget(facts)];
}

function canceling({ row, events }: Facts): Cause[] {
  if (row.cancel_requested !== true) return [];
  return [
    {
      code: "canceling",
      ...timeOf({ events }, "session.cancel_requested"),
      what: "Its end was asked for and is not recorded yet; no effect of it begins any more.",
      would_move: "It ends by itself as soon as a worker takes it up; POST …/actions/terminate ends it at once.",
    },
  ];
}

function pauses(facts: Facts): Cause[] {
  const { row, tenant } = facts;
  const suspended = tenant?.row.status === "suspended";
  const causes: Cause[] = [];
  if (suspended || (row.status === "paused" && row.paused?.reason !== "requested")) {
    causes.push({
      code: "tenant_suspended",
      ...timeOf(facts, "session.paused", ({ reason }) => reason === "tenant_suspended"),
      what: suspended ? "Its tenant is suspended." : "It paused while its tenant was suspended.",
      would_move: suspended
        ? `An admin of the installation: POST /v1/tenants/${row.tenant}/resume; the session then goes on by itself.`
        : "Nothing more: the tenant is active again, and the session goes on by itself within seconds.",
    });
  }
  if (row.status === "paused" && row.paused?.reason === "requested") {
    causes.push({
      code: "paused",
      ...timeOf(facts, "session.paused", ({ reason }) => reason === "requested"),
      what: "Somebody paused it.",
      would_move: "POST …/actions/resume, by somebody with session.steer.",
      details: { resumes_to: row.paused.resumes_to },
    });
  }
  return causes;
}

function approvals(facts: Facts): Cause[] {
  return openOf(facts.row.approvals ?? []).map((approval) => waitingApproval(facts, approval));
}

function waitingApproval(
  facts: Facts,
  { approval_id, step, action, resource, role, quorum, granted_by, requested_by, expires_at }: ApprovalState,
): Cause {
  return {
    code: "waiting_approval",
    ...timeOf(facts, "approval.requested", (data) => data["approval_id"] === approval_id),
    what: `Its step ${step} (${action}) needs the approval of ${String(quorum - granted_by.length)} more with the role ${role}.`,
    would_move: `POST …/actions/approve or deny with approval_id ${approval_id}, by a ${role} who is not ${requested_by}, before ${expires_at}; then it counts as denied.`,
    details: { approval_id, step, action, resource, role, quorum, granted: granted_by.length, expires_at },
  };
}

function budget(facts: Facts): Cause[] {
  const { status, budget: state } = facts.row;
  if (status !== "waiting_budget" || state === undefined) return [];
  const exhausted = facts.events.findLast(({ type }) => type === "budget.exhausted");
  const reserved = reservedTotal(state);
  const { dimension = "", limit = 0, used = 0, needed = 0 } = exhausted?.data ?? {};
  return [
    {
      code: "waiting_budget",
      ...timeOf(facts, "budget.exhausted"),
      what:
        exhausted === undefined
          ? "Its next step might take more than its budget has left."
          : `Its next step might take ${String(needed)} ${String(dimension)}; ${String(used)} of ${String(limit)} are spent or set aside.`,
      would_move: "POST …/actions/extend-budget, by somebody with budget.extend.",
      details: {
        ...(exhausted !== undefined && { dimension: String(dimension), limit: Number(limit), needed: Number(needed) }),
        spent_tokens: state.spent.tokens,
        spent_cost_micros: state.spent.cost_micros,
        spent_steps: state.spent.steps,
        reserved_tokens: reserved.tokens,
        reserved_cost_micros: reserved.cost_micros,
      },
    },
  ];
}
