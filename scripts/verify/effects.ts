import type { Asked } from "./approvals.ts";
import { count, isInstant, isObject, outcomes, text, type Json, type Place } from "./format.ts";

interface Decision {
  readonly id: string;
  readonly action: string;
  readonly allowed: boolean;
  readonly approvals: readonly Asked[];
  readonly expiresAt: string;
}

/** Decisions, intents and outcomes: what was allowed, and whether that and no more was done. */
export class Effects {
  decisionCount = 0;
  /** By effect key: where it was intended last. */
  readonly intended = new Map<string, number>();
  readonly settled = new Set<string>();
  /** By effect key, in order. */
  readonly #decisions = new Map<string, Decision[]>();
  readonly #used = new Set<string>();

  /** @param use checks the approval that an intent names, and uses it up */
  follow(place: Place, seq: number, use: (asked: readonly Asked[]) => void): void {
    const { type, data, report } = place;
    const effect = text(data, "effect_key");
    if (type === "policy.decided") this.#decide(effect, data);
    if (type === "effect.intended") {
      this.#checkPermit(place, this.#decisions.get(effect) ?? [], use);
      const decision = text(data, "decision_id");
      if (this.#used.has(decision)) report("once", "the decision was used by an intent before");
      this.#used.add(decision);
      if (this.settled.has(effect)) report("once", "the effect has its outcome already");
      this.intended.set(effect, seq);
    }
    if (outcomes.includes(type)) {
      if (!this.intended.has(effect)) place.missing("intent", "the outcome of an effect that was not intended");
      if (this.settled.has(effect)) report("once", "the effect has its outcome already");
      this.settled.add(effect);
    }
  }

  #decide(effect: string, data: Json): void {
    this.decisionCount += 1;
    const decisions = this.#decisions.get(effect) ?? [];
    this.#decisions.set(effect, decisions);
    decisions.push({
      id: text(data, "decision_id"),
      action: text(data, "action_digest"),
      allowed: data["allowed"] === true,
      approvals: approvalsOf(data["obligations"]),
      expiresAt: text(data, "expires_at"),
    });
  }

  #checkPermit(place: Place, decisions: readonly Decision[], use: (asked: readonly Asked[]) => void): void {
    const { data, time, report } = place;
    const [id, action] = [text(data, "decision_id"), text(data, "action_digest")];
    const index = decisions.findLastIndex((one) => one.id === id);
    const decision = decisions[index];
    use(decision?.approvals ?? []);
    if (id === "" || action === "" || text(data, "effect_key") === "")
      report("permit", "the intent does not name its decision, effect and action");
    else if (decision === undefined)
      place.missing("permit", "no decision with this id about this effect comes before the intent");
    else if (decision.action !== action) report("permit", "the decision was about another action");
    else if (decisions.slice(index).some(({ allowed }) => !allowed)) report("permit", "the effect was denied");
    else if (!(isInstant(time) && isInstant(decision.expiresAt) && time <= decision.expiresAt))
      report("permit", "the decision had expired");
  }
}

function approvalsOf(obligations: unknown): Asked[] {
  if (!Array.isArray(obligations)) return [];
  return obligations
    .filter((one: unknown) => isObject(one))
    .filter((one) => one["kind"] === "require_approval")
    .map((one) => ({ role: text(one, "role"), quorum: count(one, "quorum") ?? 1 }));
}
