import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineUpdate,
  proxyActivities,
  setHandler,
} from "@temporalio/workflow";
import { stepEndingCodes, type ErrorCode } from "@soma/contracts/error-codes";
import type { SessionAction, SessionStatus, SessionWorkflowInput } from "@soma/contracts/session";
import type { BusyStrategy } from "@soma/contracts/session-action";
import { allowedActions } from "@soma/contracts/session-machine";
import { sessionActionUpdate } from "@soma/contracts/wire-names";
import type { Permit } from "@soma/contracts/permit";
import type { AppliedAction, SessionActivities } from "../activities/session-activities.ts";
import { untilExtended } from "./budget-wait.ts";
import { failureOf, patiently, type ApprovalVerdict, type StepGate } from "./governed-step.ts";

/**
 * Not local, unlike what the story of the session does: two that run side by side and both use local activities are
 * replayed in the order of the markers, which need not be that in which they ran.
 */
const actions = proxyActivities<SessionActivities>({
  startToCloseTimeout: "5s",
  scheduleToCloseTimeout: "24h",
  retry: {
    initialInterval: "200ms",
    backoffCoefficient: 2,
    maximumInterval: "5s",
    nonRetryableErrorTypes: stepEndingCodes(),
  },
});

/** What the update says; all else stands in the ledger under the action's id. */
export interface ActionCall {
  readonly action_id: string;
  readonly action: SessionAction;
  readonly busy?: BusyStrategy;
}

export interface ActionOutcome {
  /** Of a message: the turn that answers it. */
  readonly turn?: number;
}

const sessionAction = defineUpdate<ActionOutcome, [ActionCall]>(sessionActionUpdate);

/** A message that waits for its turn. */
export type WaitingMessage = Pick<Extract<AppliedAction, { kind: "message" }>, "action_id" | "turn">;

/** How a turn under way is ended by a message. */
type Interruption = "interrupted" | "rolled_back";

/** What a session that continues as new takes along. */
export interface SteeringState {
  readonly paused: boolean;
  readonly waiting: readonly WaitingMessage[];
}

/**
 * What people do to a session while it runs: their actions arrive as updates, are looked at first, then recorded, and
 * only then change anything here. One at a time: what an action found is what it changes. Where two are too close for
 * that – an approval that expires as it is given – the ledger's append decides, and this follows.
 */
export class SessionSteering implements StepGate {
  /** The step that the session is at. */
  step: string;
  /** The turn under way, or the last one. */
  turn: number;
  /** True between turns of a conversation. */
  idle = false;
  /** True when the last turn failed, and nothing was said since. */
  failedTurn = false;
  waitsForBudget = false;
  /** Set by `retry`, taken by the conversation. */
  retryAsked = false;
  /** Ends the turn under way, if there is one. */
  turnScope: CancellationScope | undefined;
  interruption: Interruption | undefined;
  /** How often the budget was extended. */
  extensions = 0;
  readonly waiting: WaitingMessage[];
  readonly #session: SessionWorkflowInput;
  readonly #verdicts = new Map<string, ApprovalVerdict | undefined>();
  #paused: boolean;
  #last: Promise<unknown> = Promise.resolve();

  constructor(session: SessionWorkflowInput, { turn, step }: { turn: number; step: string }, state?: SteeringState) {
    this.#session = session;
    this.turn = turn;
    this.step = step;
    this.#paused = state?.paused ?? false;
    this.waiting = [...(state?.waiting ?? [])];
  }

  /** From here on actions are taken; what was sent before waits in Temporal. */
  open(): void {
    setHandler(sessionAction, (call) => this.#oneAtATime(() => this.#act(call)), {
      validator: (call) => {
        this.#assertAllowed(call);
      },
    });
  }

  get state(): SteeringState {
    return { paused: this.#paused, waiting: [...this.waiting] };
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  async mayBegin(): Promise<void> {
    if (this.#paused) await condition(() => !this.#paused);
  }

  async approval(step: string, round: number): Promise<ApprovalVerdict> {
    const { tenant, session_id } = this.#session;
    const { approval_id, expires_in_ms } = await patiently((activities) =>
      activities["request-approval"]({ tenant, session_id, step, round }),
    );
    // Whoever follows the ledger may have been faster than the answer.
    if (!this.#verdicts.has(approval_id)) this.#verdicts.set(approval_id, undefined);
    try {
      await condition(() => this.#verdicts.get(approval_id) !== undefined, expires_in_ms);
      return this.#verdicts.get(approval_id) ?? (await this.#close(approval_id, "expired"));
    } catch (error) {
      const because = this.interruption === undefined ? "canceled" : "interrupted";
      await CancellationScope.nonCancellable(() => this.#close(approval_id, because));
      throw error;
    } finally {
      this.#verdicts.delete(approval_id);
    }
  }

  budget(permit: Permit): Promise<boolean> {
    return untilExtended(this, permit);
  }

  async #close(approval_id: string, because: "expired" | "interrupted" | "canceled"): Promise<ApprovalVerdict> {
    const { tenant, session_id } = this.#session;
    const { granted } = await patiently((activities) =>
      activities["close-approval"]({ tenant, session_id, approval_id, because }),
    );
    return granted ? "granted" : "expired";
  }

  /** Ends when nothing more is under way here: a session continues as new with no action half done. */
  async settled(): Promise<void> {
    await this.#last;
  }

  #oneAtATime<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(run);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #act(call: ActionCall): Promise<ActionOutcome> {
    // Again, now that it is its turn: another action came before it.
    this.#assertAllowed(call);
    const { tenant, session_id } = this.#session;
    const input = { tenant, session_id, action_id: call.action_id, step: this.step };
    try {
      const applied = await actions["apply-action"](input);
      return this.#apply(applied);
    } catch (error) {
      const { code, detail } = failureOf(error);
      throw refusal(code, detail);
    }
  }

  #apply(applied: AppliedAction): ActionOutcome {
    switch (applied.kind) {
      case "message":
        return this.#take(applied);
      case "approval":
        if (applied.verdict !== "waiting") this.#verdicts.set(applied.approval_id, applied.verdict);
        return {};
      case "paused":
        this.#paused = true;
        return {};
      case "resumed":
        this.#paused = false;
        return {};
      case "retried":
        this.retryAsked = true;
        return {};
      case "extended":
        this.extensions += 1;
        return {};
    }
  }

  /** A turn begins: whatever waited for it or for one before it waits no more. */
  began(turn: number): void {
    this.waiting.splice(0, this.waiting.length, ...this.waiting.filter((one) => one.turn > turn));
  }

  /**
   * The ledger has put the message in line; here is only known that it waits. A task of the workflow that is done over
   * takes messages again, perhaps in another order, and some of them when their turn is there already.
   */
  #take({ action_id, turn, busy }: Extract<AppliedAction, { kind: "message" }>): ActionOutcome {
    const isNew = turn > this.turn && !this.waiting.some((one) => one.action_id === action_id);
    if (isNew) this.waiting.push({ action_id, turn });
    if (isNew && this.turnScope !== undefined && (busy === "interrupt" || busy === "rollback")) {
      this.interruption = busy === "interrupt" ? "interrupted" : "rolled_back";
      this.turnScope.cancel();
    }
    return { turn };
  }

  #assertAllowed({ action, busy = "reject" }: ActionCall): void {
    // Approvals are the ledger's alone to judge: it may know of one before this does.
    if (action === "approve" || action === "deny") return;
    const allowed = allowedActions(this.#status(), {
      interactive: this.#session.mode === "interactive",
      paused_by_request: this.#paused,
      failed_turn: this.failedTurn,
      budget: this.#session.budget !== undefined,
    });
    if (!allowed.includes(action))
      throw refusal("ACTION_NOT_ALLOWED", `The session is ${this.#status()}; it allows: ${allowed.join(", ")}.`);
    if (action === "message" && busy === "reject" && !this.#takesMessage())
      throw refusal(
        "SESSION_BUSY",
        "The session is busy with another message; wait for it, or say busy: enqueue, interrupt or rollback.",
      );
  }

  /** Between turns, and nobody has spoken yet. */
  #takesMessage(): boolean {
    return this.idle && this.waiting.length === 0;
  }

  #status(): SessionStatus {
    if (this.#paused) return "paused";
    if ([...this.#verdicts.values()].includes(undefined)) return "waiting_approval";
    if (this.waitsForBudget) return "waiting_budget";
    return this.#takesMessage() ? "waiting_input" : "running";
  }
}

function refusal(code: ErrorCode, detail: string): ApplicationFailure {
  const failure = ApplicationFailure.nonRetryable(detail, code);
  // The stack names files of this machine.
  failure.stack = "";
  return failure;
}
