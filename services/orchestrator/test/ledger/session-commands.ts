import type { EventData, NewEvent } from "@soma/contracts/audit";
import { busyStrategies } from "@soma/contracts/session-action";
import { sha256 } from "@soma/kit/digest";
import * as fc from "fast-check";
import { extend } from "../../src/ledger/session-budget.ts";
import { typedEvent } from "../../src/ledger/typed-event.ts";
import type { MemoryLedger } from "./memory-ledger.ts";
import { createdEvent, stepEvents, writer } from "./sample-events.ts";
import { actionId, asked, steered, userId } from "./steered-session.ts";

const people = ["user-1", "user-2", "user-3", "user-4"] as const;
const steps = ["completion-1", "recall-1", "completion-2", "completion-3"] as const;
type Step = (typeof steps)[number];
const seconds = 1_000;
const nobodys = { approval_id: `apr_${"0".repeat(32)}`, action_digest: sha256("none") };

const whose = { step: fc.constantFrom(...steps), by: fc.constantFrom(...people) };
// As often as they stand here.
const kinds = [
  "message",
  "decide",
  "decide",
  "decide",
  "request",
  "request",
  "grant",
  "grant",
  "grant",
  "grant",
  "deny",
  "intend",
  "intend",
  "intend",
  "intend",
  "outcome",
  "outcome",
  "outcome",
  "expire",
  "void",
  "start",
  "start",
  "end-turn",
  "retry",
  "pause",
  "resume",
  "suspend",
  "unsuspend",
  "cancel",
  "exhaust",
  "extend",
  "down",
  "up",
  "skip",
  "wait",
  "end",
] as const;

/** What somebody tries, and what goes wrong on the way. */
export const anyCommand = fc.record({
  kind: fc.constantFrom(...kinds),
  ...whose,
  /** Wrong digests, approvals of another step, failures instead of results. */
  wrong: fc.nat(7).map((one) => one === 0),
  number: fc.nat(12),
  busy: fc.constantFrom(...busyStrategies),
  /** held: reaches the ledger after what comes next, as that of a second writer; twice: its answer was lost. */
  fault: fc.constantFrom("none", "none", "none", "none", "held", "twice", "crash"),
});
export type Command = typeof anyCommand extends fc.Arbitrary<infer C> ? C : never;

/** Commands one after the other that single ones hardly ever come to, with the same faults. */
function inOrder(list: readonly Partial<Command>[], by: readonly Step[]): fc.Arbitrary<Command[]> {
  const each = fc.array(anyCommand, { minLength: list.length, maxLength: list.length });
  return fc
    .tuple(fc.constantFrom(...by), each)
    .map(([step, commands]) => commands.map((command, index): Command => ({ ...command, step, ...list[index] })));
}

const approvedStep = inOrder(
  [
    { kind: "decide" },
    { kind: "request" },
    { kind: "grant", by: "user-2" },
    { kind: "grant", by: "user-3" },
    { kind: "intend" },
    { kind: "outcome" },
  ],
  ["recall-1", "completion-2"],
);
const plainStep = inOrder(
  [{ kind: "decide" }, { kind: "intend" }, { kind: "outcome" }],
  ["completion-1", "completion-3"],
);
const nextTurn = inOrder([{ kind: "end-turn" }, { kind: "message" }, { kind: "start" }], steps);
const failedTurn = inOrder([{ kind: "end-turn", number: 2, wrong: false }, { kind: "retry" }], steps);

export const anyStory: fc.Arbitrary<Command[]> = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: anyCommand.map((one) => [one]) },
      { weight: 2, arbitrary: approvedStep },
      ...[plainStep, nextTurn, failedTurn].map((arbitrary) => ({ weight: 1, arbitrary })),
    ),
    { minLength: 1, maxLength: 20, size: "max" },
  )
  .map((parts) => parts.flat());

export const anyOpening = fc.record({
  interactive: fc.boolean(),
  budget: fc.option(
    fc.record(
      {
        tokens: fc.integer({ min: 1, max: 200 }),
        cost_micros: fc.integer({ min: 1, max: 120 }),
        steps: fc.integer({ min: 1, max: 4 }),
        wall_seconds: fc.integer({ min: 1, max: 4_000 }),
      },
      { requiredKeys: ["tokens"] },
    ),
    { nil: undefined },
  ),
});

export function opening({ interactive, budget }: typeof anyOpening extends fc.Arbitrary<infer O> ? O : never) {
  const created = createdEvent(steered);
  const data = { ...created.data, ...(interactive && { mode: "interactive" as const }), ...(budget && { budget }) };
  return { ...created, data };
}

function known(step: Step): { decided: EventData<"policy.decided">; intended: EventData<"effect.intended"> } {
  const [decided, intended] = stepEvents(steered, step);
  if (decided?.type !== "policy.decided" || intended?.type !== "effect.intended") throw new Error("a step begins so");
  return { decided: decided.data, intended: intended.data };
}

/** Half of the steps need an approval, by one person or by two. */
function quorumOf(step: Step): number {
  return steps.indexOf(step) % 3;
}

function reserveOf(step: Step): { tokens: number; cost_micros: number } {
  return { tokens: 20 + 10 * steps.indexOf(step), cost_micros: 30 };
}

/** Turns commands into the events that workflow, activities and API would append, as the session looks to them now. */
export class Session {
  readonly ledger: MemoryLedger;
  #count = 0;

  constructor(ledger: MemoryLedger) {
    this.ledger = ledger;
  }

  #asked(action: Parameters<typeof asked>[1], by: string, values: EventData<"action.decided">["arguments"] = {}) {
    this.#count += 1;
    return { decided: asked(this.#count, action, by, values), action_id: actionId(this.#count), by: userId(by) };
  }

  #next(word: string): string {
    this.#count += 1;
    return `${word}/${String(this.#count)}`;
  }

  events(command: Command): readonly NewEvent[] {
    const { kind, step, by, wrong, number, busy } = command;
    const { row } = this.ledger;
    const base = writer(steered);
    const told = known(step);
    const outside = { step, reason: "tenant_suspended" } as const;
    switch (kind) {
      case "message": {
        const message = { message_digest: sha256(String(number)), busy };
        const { decided, action_id, by: who } = this.#asked("message", by, message);
        const key = `action/${action_id}/applied`;
        return [decided, { ...base, type: "message.received", key, data: { action_id, by: who, ...message } }];
      }
      case "decide": {
        const quorum = quorumOf(step);
        const obligations: EventData<"policy.decided">["obligations"] =
          quorum === 0 ? [] : [{ kind: "require_approval", role: "approver", quorum }];
        const key = this.#next(`${step}/decided`);
        const data = { ...told.decided, decision_id: key, allowed: !wrong, obligations };
        return [{ ...base, type: "policy.decided", key, data }];
      }
      case "request": {
        const id = `apr_${sha256(`${step} ${String(number % 3)}`).slice(7, 39)}`;
        const { action, resource, effect_key, action_digest, decision_id } = told.decided;
        const what = { step, action, resource, effect_key, decision_id, role: "approver" as const, reasons: [] };
        const data = {
          ...what,
          approval_id: id,
          // What was asked for is no more what is to be done.
          action_digest: wrong ? sha256("changed") : action_digest,
          requested_by: userId(number % 2 === 0 ? "user-1" : "user-4"),
          quorum: Math.max(1, quorumOf(step)),
          expires_at: new Date(this.ledger.now + 900 * seconds).toISOString(),
        };
        return [{ ...base, type: "approval.requested", key: `${id}/requested`, data }];
      }
      case "grant":
      case "deny": {
        const approval = this.#approval(number);
        const action_digest = wrong ? sha256("wrong") : approval.action_digest;
        const values = { approval_id: approval.approval_id, action_digest };
        const { decided, action_id, by: who } = this.#asked(kind === "grant" ? "approve" : "deny", by, values);
        const type = kind === "grant" ? "approval.granted" : "approval.denied";
        return [
          decided,
          { ...base, type, key: `action/${action_id}/applied`, data: { ...values, action_id, by: who } },
        ];
      }
      case "expire":
        return [{ ...base, type: "approval.expired", key: this.#next("expired"), data: this.#approvalId(number) }];
      case "void": {
        const data = { ...this.#approvalId(number), reason: "action_changed" } as const;
        return [{ ...base, type: "approval.voided", key: this.#next("voided"), data }];
      }
      case "intend":
        return this.#intent(command);
      case "outcome":
        return this.#outcome(command);
      case "start": {
        const [next] = row.turns?.waiting ?? [];
        if (next === undefined) return [];
        const { action_id, message_digest } = next;
        const turn = (row.turns?.turn ?? 1) + (wrong ? 2 : 1);
        const data = { turn, action_id, message_digest };
        return [{ ...base, type: "turn.started", key: this.#next("started"), data }];
      }
      case "retry": {
        const data = { turn: row.turns?.turn ?? 1, message_digest: row.turns?.message_digest ?? row.prompt_digest };
        return [{ ...base, type: "turn.started", key: this.#next("retried"), data }];
      }
      case "end-turn": {
        const outcome = wrong ? "answered" : number % 2 === 0 ? "failed" : "interrupted";
        const data = { turn: row.turns?.turn ?? 1, step, outcome } as const;
        return [{ ...base, type: "turn.ended", key: this.#next("turn"), data }];
      }
      case "pause":
      case "resume": {
        const { decided, action_id, by: who } = this.#asked(kind, by);
        const type = kind === "pause" ? "session.paused" : "session.resumed";
        const data = { step, reason: "requested", action_id, by: who } as const;
        return [decided, { ...base, type, key: `action/${action_id}/applied`, data }];
      }
      case "suspend":
        return [{ ...base, type: "session.paused", key: this.#next("paused"), data: outside }];
      case "unsuspend":
        return [{ ...base, type: "session.resumed", key: this.#next("resumed"), data: outside }];
      case "cancel":
        return number > 3
          ? []
          : [{ ...base, type: "session.cancel_requested", key: "cancel", data: { by: userId(by) } }];
      case "exhaust": {
        const limit = row.budget?.limit.tokens;
        if (limit === undefined) return [];
        const data = { step, dimension: "tokens", limit, used: 0, needed: limit + 1 } as const;
        return [{ ...base, type: "budget.exhausted", key: this.#next("exhausted"), data }];
      }
      case "extend": {
        const added = { tokens: 1 + number, steps: 1 };
        const { decided, action_id, by: who } = this.#asked("extend-budget", by, added);
        const limit = row.budget === undefined ? added : extend(row.budget, added).limit;
        const data = { action_id, by: who, added, limit };
        return [decided, { ...base, type: "budget.extended", key: `action/${action_id}/applied`, data }];
      }
      case "down": {
        const data = { step, dependency: "slm", code: "MODEL_UNAVAILABLE" } as const;
        return [{ ...base, type: "dependency.unavailable", key: this.#next("down"), data }];
      }
      case "up":
        return [{ ...base, type: "dependency.recovered", key: this.#next("up"), data: { step, dependency: "slm" } }];
      case "skip":
        return [
          { ...base, type: "memory.skipped", key: this.#next("skip"), data: { step, code: "MEMORY_UNAVAILABLE" } },
        ];
      case "wait":
        this.ledger.now += number * number * 10 * seconds;
        return [];
      case "end":
        return number > 4 ? [] : [this.#end(number)];
      default:
        throw new Error(`no command ${String(kind)}`);
    }
  }

  /** Any approval that was ever asked for, open, used and closed ones alike; now and then one that never was. */
  #approval(number: number): Pick<EventData<"approval.requested">, "approval_id" | "action_digest"> {
    const requested = this.ledger.events.flatMap((event) => {
      const { type, data } = typedEvent(event);
      return type === "approval.requested" ? [data] : [];
    });
    return pick(requested, number) ?? nobodys;
  }

  #approvalId(number: number): { approval_id: string } {
    return { approval_id: this.#approval(number).approval_id };
  }

  /** As a permit lets it: on the last decision about the step, with an approval where that asks for one. */
  #intent({ step, wrong, number }: Command): readonly NewEvent[] {
    const { intended } = known(step);
    const decisions = this.ledger.events.filter(
      ({ type, data }) => type === "policy.decided" && data["step"] === step && data["allowed"] === true,
    );
    const decision_id = decisions.at(-1)?.data["decision_id"];
    if (typeof decision_id !== "string") return [];
    const approvals = this.ledger.events.filter(
      ({ type, data }) => type === "approval.requested" && (wrong || data["step"] === step),
    );
    const { approval_id = nobodys.approval_id } = pick(approvals, number)?.data ?? {};
    const approval = quorumOf(step) === 0 ? {} : { approval_id: String(approval_id) };
    const reserved = this.ledger.row.budget === undefined ? {} : { reserved: reserveOf(step) };
    const data = { ...intended, decision_id, jti: decision_id, ...approval, ...reserved };
    return [{ ...writer(steered), type: "effect.intended", key: this.#next(`${step}/intended`), data }];
  }

  /** One for each step at most: its key is the step's. */
  #outcome({ step, wrong, number }: Command): readonly NewEvent[] {
    const { effect_key } = known(step).intended;
    const isIntended = this.ledger.events.some(
      ({ type, data }) => type === "effect.intended" && data["effect_key"] === effect_key,
    );
    if (!isIntended) return [];
    const base = { ...writer(steered), key: `${step}/outcome` };
    if (wrong) {
      const code = number % 2 === 0 ? "MODEL_UNAVAILABLE" : "MODEL_NOT_FOUND";
      return [{ ...base, type: "effect.failed", data: { step, effect_key, code } }];
    }
    const digest = sha256("result");
    if (step === "recall-1")
      return [{ ...base, type: "memory.recalled", data: { step, effect_key, passages: 0, result_digest: digest } }];
    const tokens = Math.min(reserveOf(step).tokens, number * 5);
    const usage = { prompt_tokens: tokens, completion_tokens: 0, total_tokens: tokens };
    const made = { result_digest: digest, model: "small", finish_reason: "stop", usage, cost_micros: number };
    return [{ ...base, type: "effect.completed", data: { step, effect_key, ...made } }];
  }

  #end(number: number): NewEvent {
    const base = { ...writer(steered), key: "session.end" };
    const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
    switch (number % 5) {
      case 0:
        return { ...base, type: "session.completed", data: { result_digest: sha256("result"), usage } };
      case 1:
        return { ...base, type: "session.denied", data: { code: "POLICY_DENIED", step: "completion-1", reasons: [] } };
      case 2:
        return { ...base, type: "session.failed", data: { code: "MODEL_UNAVAILABLE" } };
      case 3:
        return { ...base, type: "session.timed_out", data: {} };
      default:
        return { ...base, type: "session.canceled", data: {} };
    }
  }
}

/** Mostly the last one, else any. */
function pick<T>(list: readonly T[], number: number): T | undefined {
  return number < 9 ? list.at(-1) : list[number % Math.max(1, list.length)];
}
