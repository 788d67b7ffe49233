import type { EventData, NewEvent } from "@soma/contracts/audit";
import { isUserId, type UserId } from "@soma/contracts/ids";
import type { SessionAction } from "@soma/contracts/session";
import { sha256 } from "@soma/kit/digest";
import type { SessionCreated } from "../../src/ledger/ledger.ts";
import { createdEvent, stepEvents, usage, writer, type Subject } from "./sample-events.ts";

export const steered: Subject = { tenant: "tenant-a", session_id: "sess-1" };
export const message = sha256("and then?");
export const approvalId = `apr_${"a".repeat(32)}`;

export function userId(name: string): UserId {
  if (!isUserId(name)) throw new Error("not a user id");
  return name;
}

export function actionId(number: number): string {
  return `act_${String(number).padStart(32, "0")}`;
}

/** An event without what says whose it is. */
type Told<E extends NewEvent = NewEvent> = E extends NewEvent ? Pick<E, "type" | "key" | "data"> : never;

function event(told: Told): NewEvent {
  return { ...writer(steered), ...told };
}

export function asked(
  number: number,
  action: SessionAction,
  by: string,
  values: EventData<"action.decided">["arguments"] = {},
): NewEvent {
  const id = actionId(number);
  return event({
    type: "action.decided",
    key: `action/${id}`,
    data: {
      action_id: id,
      action,
      by: userId(by),
      by_role: action === "approve" || action === "deny" ? "approver" : "operator",
      by_authn: "token",
      arguments: values,
      decision_id: `decision-${id}`,
      policy_version: "v1",
      allowed: true,
      reasons: [],
    },
  });
}

type Step = { decided: EventData<"policy.decided">; intended: EventData<"effect.intended"> };

function stepData(step: string): Step {
  const [decided, intended] = stepEvents(steered, step);
  if (decided?.type !== "policy.decided" || intended?.type !== "effect.intended") throw new Error("a step begins so");
  return { decided: decided.data, intended: intended.data };
}

const first = stepData("completion-1");
const recall = stepData("recall-2");
const second = stepData("completion-2");
const { effect_key, action_digest, action, resource } = first.intended;
const approver = { approval_id: approvalId, action_digest };
const obligations: EventData<"policy.decided">["obligations"] = [
  { kind: "require_approval", role: "approver", quorum: 2 },
];

export const steeredCreated: SessionCreated = {
  ...createdEvent(steered),
  data: {
    ...createdEvent(steered).data,
    mode: "interactive",
    budget: { tokens: 100, cost_micros: 1_000, steps: 3, wall_seconds: 3_600 },
  },
};

/**
 * A conversation with everything that steers one: an approval by two, a message, a pause, memory, a budget that runs out
 * and is extended, and an effect whose outcome nobody knows. Sequences 1 to 29.
 */
export const steeredTold: readonly NewEvent[] = [
  steeredCreated,
  event({ type: "policy.decided", key: "completion-1/policy.decided/1", data: { ...first.decided, obligations } }),
  event({
    type: "approval.requested",
    key: "completion-1/approval.requested/1",
    data: {
      approval_id: approvalId,
      step: "completion-1",
      action,
      resource,
      action_digest,
      effect_key,
      decision_id: first.decided.decision_id,
      requested_by: userId("user-1"),
      role: "approver",
      quorum: 2,
      expires_at: "2026-03-01T00:15:00.000Z",
      reasons: [],
    },
  }),
  asked(1, "approve", "user-2", approver),
  event({
    type: "approval.granted",
    key: `action/${actionId(1)}/applied`,
    data: {
      ...approver,
      action_id: actionId(1),
      by: userId("user-2"),
    },
  }),
  asked(2, "approve", "user-3", approver),
  event({
    type: "approval.granted",
    key: `action/${actionId(2)}/applied`,
    data: {
      ...approver,
      action_id: actionId(2),
      by: userId("user-3"),
    },
  }),
  event({
    type: "policy.decided",
    key: "completion-1/policy.decided/2",
    data: { ...first.decided, decision_id: "again", obligations },
  }),
  event({
    type: "effect.intended",
    key: "completion-1/effect.intended/2",
    data: {
      ...first.intended,
      decision_id: "again",
      approval_id: approvalId,
      reserved: { tokens: 50, cost_micros: 500 },
    },
  }),
  event({
    type: "effect.completed",
    key: "completion-1/effect.completed",
    data: {
      step: "completion-1",
      effect_key,
      result_digest: sha256("world"),
      model: "small",
      finish_reason: "stop",
      usage,
      base_hash: sha256("hello, world"),
      cost_micros: 80,
    },
  }),
  event({
    type: "turn.ended",
    key: "completion-1/turn.ended",
    data: { turn: 1, outcome: "answered", step: "completion-1" },
  }),
  asked(3, "message", "user-1", { message_digest: message, busy: "reject", final: false }),
  event({
    type: "message.received",
    key: `action/${actionId(3)}/applied`,
    data: {
      action_id: actionId(3),
      by: userId("user-1"),
      message_digest: message,
      busy: "reject",
    },
  }),
  event({
    type: "turn.started",
    key: "turn-2/started",
    data: { turn: 2, message_digest: message, action_id: actionId(3) },
  }),
  asked(4, "pause", "user-1", { reason_digest: sha256("wait") }),
  event({
    type: "session.paused",
    key: `action/${actionId(4)}/applied`,
    data: {
      step: "completion-2",
      reason: "requested",
      action_id: actionId(4),
      by: userId("user-1"),
    },
  }),
  asked(5, "resume", "user-1"),
  event({
    type: "session.resumed",
    key: `action/${actionId(5)}/applied`,
    data: {
      step: "completion-2",
      reason: "requested",
      action_id: actionId(5),
      by: userId("user-1"),
    },
  }),
  event({ type: "policy.decided", key: "recall-2/policy.decided/1", data: recall.decided }),
  event({ type: "effect.intended", key: "recall-2/effect.intended/1", data: recall.intended }),
  event({
    type: "memory.recalled",
    key: "recall-2/memory.recalled",
    data: {
      step: "recall-2",
      effect_key: recall.intended.effect_key,
      passages: 0,
      result_digest: sha256("[]"),
    },
  }),
  event({ type: "policy.decided", key: "completion-2/policy.decided/1", data: second.decided }),
  event({
    type: "budget.exhausted",
    key: "completion-2/budget.exhausted/1",
    data: {
      step: "completion-2",
      dimension: "tokens",
      limit: 100,
      used: 8,
      needed: 120,
    },
  }),
  asked(6, "extend-budget", "user-1", { tokens: 100 }),
  event({
    type: "budget.extended",
    key: `action/${actionId(6)}/applied`,
    data: {
      action_id: actionId(6),
      by: userId("user-1"),
      added: { tokens: 100 },
      limit: { tokens: 200, cost_micros: 1_000, steps: 3, wall_seconds: 3_600 },
    },
  }),
  event({
    type: "effect.intended",
    key: "completion-2/effect.intended/1",
    data: {
      ...second.intended,
      reserved: { tokens: 120, cost_micros: 500 },
    },
  }),
  event({
    type: "effect.failed",
    key: "completion-2/effect.failed",
    data: {
      step: "completion-2",
      effect_key: second.intended.effect_key,
      code: "MODEL_UNAVAILABLE",
    },
  }),
  event({
    type: "turn.ended",
    key: "completion-2/turn.ended",
    data: {
      turn: 2,
      outcome: "failed",
      step: "completion-2",
      code: "MODEL_UNAVAILABLE",
    },
  }),
  event({ type: "session.canceled", key: "session.end", data: {} }),
];
