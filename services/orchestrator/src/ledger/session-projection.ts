import type { AuditEvent, PauseReason } from "@soma/contracts/audit";
import type { ErrorCode } from "@soma/contracts/error-codes";
import { isTerminal } from "@soma/contracts/session";
import { nextState, openPhases, type MachineState, type OpenPhase, type Phase } from "@soma/contracts/session-machine";
import { DomainError } from "@soma/kit/domain-error";
import * as approvals from "./session-approvals.ts";
import {
  ageOf,
  extend,
  forfeit,
  newBudget,
  outcomeOfFailure,
  release,
  reserve,
  settle,
  type BudgetState,
} from "./session-budget.ts";
import type { SessionProjection } from "./session-row.ts";
import { firstTurn, isNextDue, messageReceived, turnEnded, turnStarted } from "./session-turns.ts";
import { typedEvent, type TypedEvent } from "./typed-event.ts";

/**
 * The session after one more event. Pure: replaying a session's events gives what the ledger holds. What the table of
 * transitions in contracts has no row for is not appended.
 *
 * @throws DomainError `SESSION_ENDED` for an event after the end, `SESSION_CANCELED` for an intent after the request to
 * cancel, `SESSION_PAUSED`, `TRANSITION_NOT_ALLOWED`, and the refusals of approvals, turns and budgets
 * @throws TypeError for an event that is not the next of this session
 */
export function projectSession(before: SessionProjection | undefined, event: AuditEvent): SessionProjection {
  const typed = typedEvent(event);
  if (typed.type === "session.created") {
    if (before !== undefined || event.sequence !== 1) throw new TypeError("a session is created once, first");
    return createdSession(event, typed.data);
  }
  if (before === undefined) throw new TypeError(`${event.type} cannot be a session's first event`);
  if (isTerminal(before.status)) throw new DomainError("SESSION_ENDED", "The session has ended.");
  if (event.tenant !== before.tenant || event.subject !== before.session_id || event.sequence !== before.last_seq + 1) {
    throw new TypeError(`event ${event.sequence} does not follow event ${before.last_seq} of this session`);
  }
  const after = changed(before, typed, event.time);
  const moved = { ...after, ...statusAfter(before, after, typed), updated_at: event.time, last_seq: event.sequence };
  return isTerminal(moved.status) ? atRest(moved) : withoutPause(moved);
}

type Following = Exclude<TypedEvent, { type: "session.created" }>;

/** What the event says, its place in the state machine left aside. */
function changed(before: SessionProjection, { type, data }: Following, time: string): SessionProjection {
  switch (type) {
    case "policy.decided": {
      const { decision_id, allowed, score, severity, reasons, policy_version } = data;
      return { ...before, decision: { decision_id, allowed, score, severity, reasons, policy_version } };
    }
    case "token.issued":
      return { ...before, token: { jti: data.jti, expires_at: data.expires_at, scopes: data.scopes } };
    case "effect.intended":
      // Here, and so in the append itself: between a look at the session and the intent a cancellation could be recorded.
      if (before.cancel_requested) throw new DomainError("SESSION_CANCELED", "The session is being canceled.");
      return withBudget({ ...before, ...listed(approvals.used(before.approvals ?? [], data, time)) }, (budget) =>
        reserve(budget, data.effect_key, data.reserved ?? nothing, ageOf(before, time)),
      );
    case "effect.completed": {
      const { result_digest, model, finish_reason, usage, effect_key, cost_micros = 0 } = data;
      return withBudget({ ...before, result: { digest: result_digest, model, finish_reason, usage } }, (budget) =>
        settle(budget, effect_key, { tokens: usage.total_tokens, cost_micros }),
      );
    }
    case "effect.failed":
      return withBudget(before, (budget) =>
        outcomeOfFailure(data.code) === "released"
          ? release(budget, data.effect_key)
          : forfeit(budget, data.effect_key),
      );
    case "memory.recalled":
    case "memory.remembered":
      return withBudget(before, (budget) => release(budget, data.effect_key));
    case "dependency.unavailable":
      return { ...before, blocked_on: data.dependency, blocked_code: data.code };
    case "dependency.recovered":
      return before.blocked_on === data.dependency ? { ...unblocked(before), ...pauseCodeOf(before) } : before;
    case "session.paused":
      // Something that is down is the nearer reason, where there is both.
      return {
        ...before,
        paused: { reason: data.reason, resumes_to: openPhaseOf(before) },
        ...(before.blocked_on === undefined && { blocked_code: pauseCodes[data.reason] }),
      };
    case "session.resumed":
      // Who asked for a pause does not lift that of a suspended tenant, nor the other way round.
      if (before.paused === undefined ? data.reason === "requested" : before.paused.reason !== data.reason)
        throw new DomainError("TRANSITION_NOT_ALLOWED", "The session is not paused for this reason.");
      return before.status === "paused" && before.blocked_on === undefined ? unblocked(before) : before;
    case "message.received":
      if (before.cancel_requested) throw new DomainError("SESSION_CANCELED", "The session is being canceled.");
      if (before.mode !== "interactive" || before.turns === undefined)
        throw new DomainError("ACTION_NOT_ALLOWED", "Only an interactive session takes messages.");
      return { ...before, turns: messageReceived(before.turns, data) };
    case "turn.started":
      return { ...before, turns: turnStarted(before.turns ?? firstTurn, data, before.last_seq + 1) };
    case "turn.ended":
      // What was asked for within the turn is not asked any more.
      return { ...before, ...listed([]), turns: turnEnded(before.turns ?? firstTurn, data) };
    case "approval.requested":
      return { ...before, ...listed(approvals.requested(before.approvals ?? [], data)) };
    case "approval.granted":
      if (before.cancel_requested) throw new DomainError("SESSION_CANCELED", "The session is being canceled.");
      return { ...before, ...listed(approvals.granted(before.approvals ?? [], data, { time, owner: before.user })) };
    case "approval.denied":
      return { ...before, ...listed(approvals.denied(before.approvals ?? [], data, time)) };
    case "approval.expired":
      return { ...before, ...listed(approvals.expired(before.approvals ?? [], data)) };
    case "approval.voided":
      return { ...before, ...listed(approvals.voided(before.approvals ?? [], data)) };
    case "budget.extended":
      if (before.budget === undefined) throw new DomainError("ACTION_NOT_ALLOWED", "The session has no budget.");
      return withBudget(before, (budget) => extend(budget, data.added));
    case "session.cancel_requested":
      return { ...before, cancel_requested: true };
    case "session.completed":
      return before.result === undefined
        ? before
        : { ...before, result: { ...before.result, digest: data.result_digest, usage: data.usage } };
    case "session.denied":
    case "session.failed":
      return { ...before, error: { code: data.code } };
    case "session.canceled":
      return { ...before, error: { code: "SESSION_CANCELED" } };
    case "session.timed_out":
      return { ...before, error: { code: "SESSION_TIMED_OUT" } };
    case "memory.skipped":
    case "action.decided":
    case "action.refused":
      return before;
    case "budget.exhausted":
      // An extension came in between: what the event says is not so any more, and nobody has to wait.
      if (before.budget?.limit[data.dimension] !== data.limit)
        throw new DomainError("TRANSITION_NOT_ALLOWED", "The session's budget is another one by now.");
      return before;
    default:
      return neverAnEvent(type);
  }
}

/** @throws DomainError when the table of transitions has no row for the event here */
function statusAfter(
  before: SessionProjection,
  after: SessionProjection,
  { type, data }: Following,
): Pick<SessionProjection, "status" | "paused"> {
  const next = nextState(machineStateOf(before), type, {
    allowed: type === "policy.decided" && data.allowed,
    last_open_approval: approvals.openOf(after.approvals ?? []).length === 0,
  });
  if ("state" in next) {
    const { phase, paused } = next.state;
    if (!paused || !isOpenPhase(phase)) return { status: shown(phase, after) };
    return { status: "paused", paused: { reason: after.paused?.reason ?? "tenant_suspended", resumes_to: phase } };
  }
  if (next.refused === "paused") throw new DomainError("SESSION_PAUSED", "The session is paused.");
  throw new DomainError("TRANSITION_NOT_ALLOWED", `A session that is ${before.status} takes no event ${type}.`);
}

/**
 * Between two turns nobody has to say anything when the next message is there already: who waits for `waiting_input` to
 * read an answer, or to speak, would otherwise see it too early.
 */
function shown(phase: Phase, { turns }: SessionProjection): Phase {
  return phase === "waiting_input" && turns !== undefined && isNextDue(turns) ? "running" : phase;
}

function machineStateOf(session: SessionProjection): MachineState {
  const { status } = session;
  const open = status === "paused" || isOpenPhase(status);
  return { phase: open ? openPhaseOf(session) : status, paused: status === "paused" };
}

/** Sessions that an earlier version paused do not say where they go on; their decision does. */
function openPhaseOf({ status, paused, decision, turns }: SessionProjection): OpenPhase {
  if (paused !== undefined) return paused.resumes_to;
  if (status === "running" && turns !== undefined && isNextDue(turns)) return "waiting_input";
  if (status !== "paused" && isOpenPhase(status)) return status;
  return decision?.allowed === true ? "running" : "starting";
}

function isOpenPhase(phase: Phase): phase is OpenPhase {
  return openPhases.some((open) => open === phase);
}

function createdSession(
  event: AuditEvent,
  { budget, ...data }: Extract<TypedEvent, { type: "session.created" }>["data"],
): SessionProjection {
  return {
    ...data,
    ...(data.mode === "interactive" && { turns: firstTurn }),
    ...(budget !== undefined && { budget: newBudget(budget) }),
    session_id: event.subject,
    tenant: event.tenant,
    user: event.user,
    agent: event.agent,
    authn: event.authn,
    status: "starting",
    created_at: event.time,
    updated_at: event.time,
    last_seq: event.sequence,
  };
}

/** Whatever it waited for: an ended session waits for nothing, and nothing is set aside for it. */
function atRest(session: SessionProjection): SessionProjection {
  const { paused: _paused, approvals: _approvals, ...rest } = unblocked(session);
  return rest.budget === undefined
    ? rest
    : { ...rest, budget: Object.keys(rest.budget.reserved).reduce(forfeit, rest.budget) };
}

function withoutPause(session: SessionProjection): SessionProjection {
  if (session.status === "paused") return session;
  const { paused: _paused, ...rest } = session;
  return rest;
}

function unblocked(session: SessionProjection): SessionProjection {
  const { blocked_on: _on, blocked_code: _code, ...rest } = session;
  return rest;
}

function listed(list: readonly approvals.ApprovalState[]): Pick<SessionProjection, "approvals"> {
  return { approvals: [...list] };
}

function withBudget(session: SessionProjection, change: (budget: BudgetState) => BudgetState): SessionProjection {
  return session.budget === undefined ? session : { ...session, budget: change(session.budget) };
}

const nothing = { tokens: 0, cost_micros: 0 } as const;

/** What a paused session waits for once nothing is down any more. */
function pauseCodeOf({ status, paused }: SessionProjection): Pick<SessionProjection, "blocked_code"> {
  if (status !== "paused") return {};
  return { blocked_code: pauseCodes[paused?.reason ?? "tenant_suspended"] };
}

const pauseCodes = {
  tenant_suspended: "TENANT_SUSPENDED",
  requested: "SESSION_PAUSED",
} as const satisfies Record<PauseReason, ErrorCode>;

function neverAnEvent(type: never): never {
  throw new TypeError(`no projection for event type ${String(type)}`);
}
