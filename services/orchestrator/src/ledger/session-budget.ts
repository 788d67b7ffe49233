import { Budget, budgetDimensions, BudgetUse, Reservation, type BudgetDimension } from "@soma/contracts/budget";
import type { ErrorCode } from "@soma/contracts/error-codes";
import { DomainError } from "@soma/kit/domain-error";
import { Type } from "typebox";
import { ShortageError } from "./shortage-error.ts";

const closed = { additionalProperties: false } as const;

/** A session's budget as its events make it. */
export const BudgetState = Type.Object(
  {
    limit: Budget,
    spent: BudgetUse,
    /** By effect key: what was set aside for an effect that has no outcome yet. */
    reserved: Type.Record(Type.String(), Reservation),
  },
  closed,
);
export type BudgetState = Type.Static<typeof BudgetState>;

export const nothingSpent: BudgetUse = { tokens: 0, cost_micros: 0, steps: 0 };
const noReservation: Reservation = { tokens: 0, cost_micros: 0 };

export function newBudget(limit: Budget): BudgetState {
  return { limit, spent: nothingSpent, reserved: {} };
}

/** All that is set aside now. */
export function reservedTotal({ reserved }: BudgetState): Reservation {
  return Object.values(reserved).reduce(sumOf, noReservation);
}

/** Stays within the integers that a number holds: a target may report whatever it likes. */
export function sumOf(one: Reservation, other: Reservation): Reservation {
  const most = Number.MAX_SAFE_INTEGER;
  return {
    tokens: Math.min(one.tokens + other.tokens, most),
    cost_micros: Math.min(one.cost_micros + other.cost_micros, most),
  };
}

/** A bound that an effect would break. */
export interface Shortage {
  readonly dimension: BudgetDimension;
  readonly limit: number;
  /** Spent and set aside, this effect apart. */
  readonly used: number;
  readonly needed: number;
}

/**
 * The first bound that one more effect would break, if any. Pure.
 *
 * @param ageSeconds since the session's start, whole seconds passed
 */
export function shortageOf(
  budget: BudgetState,
  effectKey: string,
  need: Reservation,
  ageSeconds: number,
): Shortage | undefined {
  const others = reservedTotal(without(budget, effectKey));
  const begun = Object.hasOwn(budget.reserved, effectKey) ? 1 : 0;
  const used = {
    tokens: budget.spent.tokens + others.tokens,
    cost_micros: budget.spent.cost_micros + others.cost_micros,
    // An effect that is decided anew has begun already.
    steps: budget.spent.steps - begun,
    wall_seconds: ageSeconds,
  };
  const needed = { ...need, steps: 1, wall_seconds: 0 };
  for (const dimension of budgetDimensions) {
    const limit = budget.limit[dimension];
    if (limit === undefined) continue;
    const over = dimension === "wall_seconds" ? used[dimension] >= limit : used[dimension] + needed[dimension] > limit;
    if (over) return { dimension, limit, used: used[dimension], needed: needed[dimension] };
  }
  return undefined;
}

/**
 * Sets the worst aside, before the effect begins. The same effect again replaces what it had.
 *
 * @throws DomainError BUDGET_EXCEEDED
 */
export function reserve(budget: BudgetState, effectKey: string, need: Reservation, ageSeconds: number): BudgetState {
  const shortage = shortageOf(budget, effectKey, need, ageSeconds);
  if (shortage !== undefined) throw budgetExceeded(shortage);
  const begun = Object.hasOwn(budget.reserved, effectKey) ? 0 : 1;
  return {
    ...budget,
    spent: { ...budget.spent, steps: budget.spent.steps + begun },
    reserved: { ...budget.reserved, [effectKey]: need },
  };
}

/** What was really used takes the place of what was set aside. An effect without a reservation is spent all the same. */
export function settle(budget: BudgetState, effectKey: string, used: Reservation): BudgetState {
  const { spent } = budget;
  return {
    ...without(budget, effectKey),
    spent: { ...spent, ...sumOf(spent, used) },
  };
}

/** Nothing was used, for certain: what was set aside is free again. */
export function release(budget: BudgetState, effectKey: string): BudgetState {
  return without(budget, effectKey);
}

/** The outcome is not known: what was set aside counts as spent, so that no budget is passed by ending effects early. */
export function forfeit(budget: BudgetState, effectKey: string): BudgetState {
  return settle(budget, effectKey, budget.reserved[effectKey] ?? noReservation);
}

/** Raises bounds; one that the session does not have stays unbounded. */
export function extend(budget: BudgetState, added: Budget): BudgetState {
  const limit: Budget = { ...budget.limit };
  for (const dimension of budgetDimensions) {
    const [before, more] = [limit[dimension], added[dimension]];
    if (before !== undefined && more !== undefined) limit[dimension] = Math.min(before + more, Number.MAX_SAFE_INTEGER);
  }
  return { ...budget, limit };
}

export function budgetExceeded({ dimension, limit, used, needed }: Shortage): ShortageError {
  const detail = `The session's budget ${dimension} is ${String(limit)}; ${String(used)} are used or set aside and this step may take ${String(needed)}. Extend it with the action extend-budget.`;
  return new ShortageError(dimension, new DomainError("BUDGET_EXCEEDED", detail));
}

/**
 * Failures that every attempt has before the model begins: nothing was used. A refused token is none of them, because one
 * that is revoked ends a call that runs; nor is MODEL_REJECTED, which also says that the effect key ran with another request.
 */
const nothingRan: ReadonlySet<ErrorCode> = new Set([
  "MODEL_NOT_FOUND",
  "MODEL_PROMPT_TOO_LONG",
  "MEMORY_REJECTED",
  "MEMORY_TOKEN_REFUSED",
  "MEMORY_UNAVAILABLE",
]);

/** What becomes of what was set aside for an effect that failed. */
export function outcomeOfFailure(code: ErrorCode): "released" | "forfeited" {
  return nothingRan.has(code) ? "released" : "forfeited";
}

/** Whole seconds since the session's start. */
export function ageOf({ created_at }: { readonly created_at: string }, time: string): number {
  return Math.max(0, Math.floor((Date.parse(time) - Date.parse(created_at)) / 1000));
}

function without(budget: BudgetState, effectKey: string): BudgetState {
  const { [effectKey]: _gone, ...reserved } = budget.reserved;
  return { ...budget, reserved };
}
