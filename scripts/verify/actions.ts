import { objectOf, text, type Json, type Place } from "./format.ts";

/** What carries out which action. */
const carriesOut: Readonly<Record<string, string>> = {
  "message.received": "message",
  "approval.granted": "approve",
  "approval.denied": "deny",
  "session.paused": "pause",
  "session.resumed": "resume",
  "budget.extended": "extend-budget",
};
/** Said both by the decision's arguments and by the event that carries the action out. */
const bound = ["message_digest", "approval_id", "action_digest"];

/** What people did to a session, each decided before it was done. */
export class Actions {
  readonly #decided = new Map<string, Json>();
  readonly #done = new Set<string>();

  follow(place: Place): void {
    const { type, data, report } = place;
    const id = text(data, "action_id");
    if (type === "action.decided") this.#decided.set(id, data);
    const action = Object.hasOwn(carriesOut, type) ? carriesOut[type] : undefined;
    if (action === undefined) return;
    // A session pauses by itself, too, while its tenant is suspended.
    const byItself = (action === "pause" || action === "resume") && text(data, "reason") !== "requested";
    if (byItself && id === "") return;
    const decided = this.#decided.get(id);
    if (decided === undefined) place.missing("action", "no decision on the action comes before it");
    else {
      const reason = whyNot(decided, action, data);
      if (reason !== undefined) report("action", reason);
    }
    if (this.#done.has(id)) report("action", "the action was carried out before");
    this.#done.add(id);
  }

  /** As whom somebody acted. */
  roleOf(id: string): string | undefined {
    const decided = this.#decided.get(id);
    return decided && text(decided, "by_role");
  }
}

function whyNot(decided: Json, action: string, data: Json): string | undefined {
  if (decided["allowed"] !== true) return "the action was denied";
  if (text(decided, "action") !== action) return "the decision was about another action";
  if (text(decided, "by") !== text(data, "by")) return "the decision was about another person";
  const values = objectOf(decided, "arguments");
  if (bound.some((name) => text(values, name) !== text(data, name))) return "the decision was about other arguments";
  return undefined;
}
