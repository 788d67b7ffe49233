import type { Spread } from "./statistics.ts";

export const benchmarkIds = ["B1", "B2", "B3", "B8", "B9", "B11", "B13"] as const;

/** One line of the report: a figure of ours against another of the same run. */
export interface Comparison {
  readonly id: (typeof benchmarkIds)[number];
  /** What was measured, on which backend. */
  readonly what: string;
  readonly unit: string;
  readonly ours: Spread;
  readonly other: { readonly name: string; readonly value: Spread };
  readonly ratio: Spread;
  /** Ours less the other's, in the same unit, where the target is one of it. */
  readonly difference?: Spread;
  /** What the ratio, or the difference, is to be; absent where none is set. */
  readonly target?: { readonly atMost: number } | { readonly atLeast: number } | { readonly addsAtMost: number };
  readonly pairs: number;
  /** Most that the generator used of its core in any slice. */
  readonly generatorShare?: number;
  /** Why the figures do not count; empty for a valid run. */
  readonly faults: readonly string[];
}

/** What a measurement gives: lines for the report, and all that it saw. */
export interface Measured {
  readonly comparisons: readonly Comparison[];
  readonly raw: unknown;
}

export function isMet({ ratio, difference, target }: Comparison): boolean | undefined {
  if (target === undefined) return undefined;
  if ("addsAtMost" in target) return difference && difference.median <= target.addsAtMost;
  return "atMost" in target ? ratio.median <= target.atMost : ratio.median >= target.atLeast;
}
