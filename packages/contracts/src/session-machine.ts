import type { EventType } from "./audit.ts";
import type { SessionAction, SessionStatus } from "./session.ts";

/**
 * The session's states and what leads from one to another, as data: the ledger appends no event that has no row here, the
 * API and the workflow allow no action that has none, and the documents draw their picture of it. No import but types, so
 * that workflow code can use it at no cost.
 */

/** Where a session is, a pause left aside: paused, it goes on from there. */
export type Phase = Exclude<SessionStatus, "paused">;

export const endPhases = ["completed", "denied", "failed", "canceled", "timed_out"] as const satisfies readonly Phase[];
export type EndPhase = (typeof endPhases)[number];
export const openPhases = [
  "starting",
  "running",
  "waiting_input",
  "waiting_approval",
  "waiting_budget",
] as const satisfies readonly Phase[];
export type OpenPhase = (typeof openPhases)[number];

/** What must hold of an event, or of the session before it, for a row to apply. */
export const conditions = ["allowed", "last_open_approval"] as const;
export type Condition = (typeof conditions)[number];

export interface Transition {
  readonly event: EventType;
  readonly when?: Condition;
  readonly from: readonly OpenPhase[];
  readonly to: Phase | "same";
  /** Sets or lifts the pause. */
  readonly pause?: "sets" | "lifts";
  /** Not while the session is paused. */
  readonly unpaused?: true;
}

const any = openPhases;
/** Where steps are under way: several may wait for people while another goes on. */
const working = ["running", "waiting_approval", "waiting_budget"] as const;
const same = { from: any, to: "same" } as const;

/** The first row whose event, condition and phase fit applies; an event for which none does is refused. */
export const transitions: readonly Transition[] = [
  { event: "policy.decided", when: "allowed", from: ["starting"], to: "running" },
  { event: "policy.decided", ...same },
  { event: "token.issued", ...same },
  { event: "effect.intended", from: working, to: "same", unpaused: true },
  { event: "effect.completed", ...same },
  { event: "effect.failed", ...same },
  { event: "memory.recalled", ...same },
  { event: "memory.remembered", ...same },
  { event: "memory.skipped", ...same },
  { event: "dependency.unavailable", ...same },
  { event: "dependency.recovered", ...same },

  { event: "action.decided", ...same },
  { event: "action.refused", ...same },
  { event: "message.received", from: any, to: "same", unpaused: true },
  { event: "turn.started", from: ["waiting_input"], to: "running", unpaused: true },
  { event: "turn.ended", from: ["starting", ...working], to: "waiting_input" },
  { event: "session.paused", ...same, pause: "sets", unpaused: true },
  { event: "session.resumed", ...same, pause: "lifts" },

  { event: "approval.requested", from: ["starting", "running", "waiting_approval"], to: "waiting_approval" },
  {
    event: "approval.granted",
    when: "last_open_approval",
    from: ["waiting_approval"],
    to: "running",
    unpaused: true,
  },
  { event: "approval.granted", from: ["waiting_approval"], to: "same", unpaused: true },
  { event: "approval.denied", when: "last_open_approval", from: ["waiting_approval"], to: "running", unpaused: true },
  { event: "approval.denied", from: ["waiting_approval"], to: "same", unpaused: true },
  { event: "approval.expired", when: "last_open_approval", from: ["waiting_approval"], to: "running" },
  { event: "approval.expired", from: ["waiting_approval"], to: "same" },
  { event: "approval.voided", when: "last_open_approval", from: ["waiting_approval"], to: "running" },
  { event: "approval.voided", ...same },

  { event: "budget.exhausted", from: ["running", "waiting_budget"], to: "waiting_budget" },
  { event: "budget.extended", from: ["waiting_budget"], to: "running" },
  { event: "budget.extended", ...same },

  { event: "session.cancel_requested", ...same },
  { event: "session.completed", from: ["running", "waiting_input"], to: "completed" },
  { event: "session.denied", from: ["starting", "running", "waiting_input"], to: "denied" },
  { event: "session.failed", from: any, to: "failed" },
  { event: "session.canceled", from: any, to: "canceled" },
  { event: "session.timed_out", from: any, to: "timed_out" },
];

export interface MachineState {
  readonly phase: Phase;
  readonly paused: boolean;
}

/** Why an event cannot be appended. */
export type TransitionRefusal = "ended" | "paused" | "phase";

/**
 * The state after one more event. Pure.
 *
 * @param holds which conditions hold for this event
 */
export function nextState(
  state: MachineState,
  event: EventType,
  holds: Partial<Record<Condition, boolean>>,
): { readonly state: MachineState } | { readonly refused: TransitionRefusal } {
  const { phase, paused } = state;
  if (!isOpenPhase(phase)) return { refused: "ended" };
  const row = transitions.find(
    (one) => one.event === event && one.from.includes(phase) && (one.when === undefined || holds[one.when] === true),
  );
  if (row === undefined) return { refused: "phase" };
  if (paused && row.unpaused === true) return { refused: "paused" };
  const to = row.to === "same" ? phase : row.to;
  return { state: { phase: to, paused: isOpenPhase(to) && (row.pause === undefined ? paused : row.pause === "sets") } };
}

function isOpenPhase(phase: Phase): phase is OpenPhase {
  return openPhases.some((open) => open === phase);
}

/** In which statuses each action is possible; what else it needs is written beside it. */
export const actionRules: Readonly<
  Record<SessionAction, { readonly statuses: readonly SessionStatus[]; readonly needs?: ActionNeed }>
> = {
  message: {
    statuses: ["starting", "running", "waiting_input", "waiting_approval", "waiting_budget"],
    needs: "interactive",
  },
  approve: { statuses: ["waiting_approval"] },
  deny: { statuses: ["waiting_approval"] },
  pause: { statuses: ["starting", "running", "waiting_input", "waiting_approval", "waiting_budget"] },
  resume: { statuses: ["paused"], needs: "paused_by_request" },
  cancel: { statuses: ["starting", "running", "waiting_input", "waiting_approval", "waiting_budget", "paused"] },
  terminate: { statuses: ["starting", "running", "waiting_input", "waiting_approval", "waiting_budget", "paused"] },
  retry: { statuses: ["waiting_input"], needs: "failed_turn" },
  "extend-budget": {
    statuses: ["starting", "running", "waiting_input", "waiting_approval", "waiting_budget", "paused"],
    needs: "budget",
  },
};

/** `interactive`: a session of that mode; `failed_turn`: its last turn failed; `budget`: it has one. */
export const actionNeeds = ["interactive", "paused_by_request", "failed_turn", "budget"] as const;
export type ActionNeed = (typeof actionNeeds)[number];

/** What is still possible once somebody asked for the session's end. */
const whileCanceling: ReadonlySet<SessionAction> = new Set(["cancel", "terminate"]);

/** The actions that a session's state allows now; `canceling`: somebody asked for its end. Pure. */
export function allowedActions(
  status: SessionStatus,
  has: Partial<Record<ActionNeed | "canceling", boolean>>,
): SessionAction[] {
  return actionsOf(actionRules).filter((action) => {
    const { statuses, needs } = actionRules[action];
    if (has.canceling === true && !whileCanceling.has(action)) return false;
    return statuses.includes(status) && (needs === undefined || has[needs] === true);
  });
}

function actionsOf(rules: typeof actionRules): SessionAction[] {
  return Object.keys(rules).filter((name): name is SessionAction => Object.hasOwn(rules, name));
}
