import type { Json, Place } from "./format.ts";
import { text } from "./format.ts";

const open = "starting running waiting_input waiting_approval waiting_budget";
const working = "running waiting_approval waiting_budget";

interface Row {
  readonly types: string;
  readonly from: string;
  /** The same phase where it is left out. */
  readonly to?: string;
  readonly when?: "allowed" | "none open";
  readonly paused?: "no";
}

/** The table of the format's document, copied from there; the first row that fits applies. */
const rows: readonly Row[] = [
  { types: "policy.decided", from: "starting", to: "running", when: "allowed" },
  {
    types:
      "policy.decided token.issued effect.completed effect.failed memory.recalled memory.remembered memory.skipped " +
      "dependency.unavailable dependency.recovered action.decided action.refused session.resumed " +
      "session.cancel_requested",
    from: open,
  },
  { types: "effect.intended", from: working, paused: "no" },
  { types: "message.received session.paused", from: open, paused: "no" },
  { types: "turn.started", from: "waiting_input", to: "running", paused: "no" },
  { types: "turn.ended", from: `starting ${working}`, to: "waiting_input" },
  { types: "approval.requested", from: "starting running waiting_approval", to: "waiting_approval" },
  {
    types: "approval.granted approval.denied",
    from: "waiting_approval",
    to: "running",
    when: "none open",
    paused: "no",
  },
  { types: "approval.granted approval.denied", from: "waiting_approval", paused: "no" },
  { types: "approval.expired approval.voided", from: "waiting_approval", to: "running", when: "none open" },
  { types: "approval.expired", from: "waiting_approval" },
  { types: "approval.voided", from: open },
  { types: "budget.exhausted", from: "running waiting_budget", to: "waiting_budget" },
  { types: "budget.extended", from: "waiting_budget", to: "running" },
  { types: "budget.extended", from: open },
  { types: "session.completed", from: "running waiting_input", to: "completed" },
  { types: "session.denied", from: "starting running waiting_input", to: "denied" },
  { types: "session.failed", from: open, to: "failed" },
  { types: "session.canceled", from: open, to: "canceled" },
  { types: "session.timed_out", from: open, to: "timed_out" },
];
const table = rows.map(({ types, from, to, when, paused }) => {
  return { types: types.split(" "), from: from.split(" "), to, when, paused };
});

const notOnceCanceled = new Set(["effect.intended", "approval.granted", "message.received"]);

/** Follows a session from state to state. */
export class States {
  #phase = "starting";
  #pause: string | undefined;
  #canceling = false;
  #interactive = false;

  /** @param isNoneOpen no approval waits for anybody after this event */
  follow({ type, data, report }: Place, isNoneOpen: () => boolean): void {
    if (type === "session.created") {
      this.#interactive = data["mode"] === "interactive";
      return;
    }
    const holds = { allowed: () => data["allowed"] === true, "none open": isNoneOpen };
    const row = table.find(
      ({ types, from, when }) =>
        types.includes(type) && from.includes(this.#phase) && (when === undefined || holds[when]()),
    );
    const refused = this.#whyNot(type, data, row);
    if (refused !== undefined) report("state", refused);
    if (refused !== undefined || row === undefined) return;
    this.#phase = row.to ?? this.#phase;
    if (type === "session.paused") this.#pause = text(data, "reason");
    if (type === "session.resumed") this.#pause = undefined;
    if (type === "session.cancel_requested") this.#canceling = true;
  }

  #whyNot(type: string, data: Json, row: (typeof table)[number] | undefined): string | undefined {
    if (row === undefined) return `${type} cannot come while the session is ${this.#phase}`;
    if (row.paused === "no" && this.#pause !== undefined) return `${type} cannot come while the session is paused`;
    if (this.#canceling && notOnceCanceled.has(type)) return `${type} follows the request to cancel`;
    if (type === "message.received" && !this.#interactive) return "the session takes no messages";
    if (type === "session.resumed" && this.#pause !== undefined && this.#pause !== text(data, "reason"))
      return "the session was paused for another reason";
    return undefined;
  }
}
