import { count, momentOf, objectOf, outcomes, text, type Json, type Place } from "./format.ts";

const dimensions = ["tokens", "cost_micros", "steps", "wall_seconds"] as const;
type Dimension = (typeof dimensions)[number];

/** Failures before anything ran: what was set aside is free again. After any other it counts as spent. */
const nothingRan = new Set([
  "MODEL_NOT_FOUND",
  "MODEL_PROMPT_TOO_LONG",
  "MEMORY_REJECTED",
  "MEMORY_TOKEN_REFUSED",
  "MEMORY_UNAVAILABLE",
]);

interface Amounts {
  tokens: number;
  cost_micros: number;
}

/** The budget of a session, from its creation on. */
export class Budget {
  /** Nothing for a session without a budget. */
  #limits: Map<Dimension, number> | undefined;
  #begun: number | undefined;
  readonly #spent = { tokens: 0, cost_micros: 0, steps: 0 };
  /** By effect key: what is set aside for an effect without an outcome. */
  readonly #reserved = new Map<string, Amounts>();

  follow(place: Place): void {
    const { type, data } = place;
    if (type === "session.created" && data["budget"] !== undefined) this.#begin(place);
    if (type === "budget.extended") this.#extend(place);
    if (this.#limits === undefined) return;
    if (type === "effect.intended") this.#reserve(place);
    if (outcomes.includes(type)) this.#settle(place);
  }

  #begin({ data, time }: Place): void {
    const budget = objectOf(data, "budget");
    this.#begun = momentOf(time);
    this.#limits = new Map(
      dimensions.flatMap((name) => {
        const limit = count(budget, name);
        return limit === undefined ? [] : [[name, limit] as const];
      }),
    );
  }

  #extend({ data, report }: Place): void {
    if (this.#limits === undefined) report("budget", "the session has no budget");
    const added = objectOf(data, "added");
    for (const [name, limit] of this.#limits ?? [])
      this.#limits?.set(name, Math.min(limit + (count(added, name) ?? 0), Number.MAX_SAFE_INTEGER));
  }

  #reserve({ data, time, report }: Place): void {
    const effect = text(data, "effect_key");
    // An effect that is intended anew has begun already.
    if (!this.#reserved.has(effect)) this.#spent.steps += 1;
    this.#reserved.set(effect, amountsOf(objectOf(data, "reserved"), "tokens"));
    this.#assertWithin(report);
    if (this.#spent.steps > this.#limit("steps")) report("budget", "more effects began than the budget allows");
    const now = momentOf(time);
    const age = now === undefined || this.#begun === undefined ? Infinity : Math.floor((now - this.#begun) / 1000);
    if (this.#limits?.has("wall_seconds") === true && age >= this.#limit("wall_seconds"))
      report("budget", "the effect began after the budget's time");
  }

  #settle({ type, data, report }: Place): void {
    const effect = text(data, "effect_key");
    const reserved = this.#reserved.get(effect) ?? { tokens: 0, cost_micros: 0 };
    this.#reserved.delete(effect);
    if (type === "effect.completed") {
      const { tokens } = amountsOf(objectOf(data, "usage"), "total_tokens");
      this.#spend({ tokens, cost_micros: amountsOf(data, "tokens").cost_micros });
    } else if (type === "effect.failed" && !nothingRan.has(text(data, "code"))) this.#spend(reserved);
    this.#assertWithin(report);
  }

  #spend({ tokens, cost_micros }: Amounts): void {
    this.#spent.tokens += tokens;
    this.#spent.cost_micros += cost_micros;
  }

  #assertWithin(report: Place["report"]): void {
    for (const name of ["tokens", "cost_micros"] as const) {
      let used = this.#spent[name];
      for (const one of this.#reserved.values()) used += one[name];
      if (used > this.#limit(name)) report("budget", `${name}: more is spent and set aside than the budget allows`);
    }
  }

  #limit(name: Dimension): number {
    return this.#limits?.get(name) ?? Infinity;
  }
}

function amountsOf(record: Json, tokens: string): Amounts {
  return { tokens: count(record, tokens) ?? 0, cost_micros: count(record, "cost_micros") ?? 0 };
}
