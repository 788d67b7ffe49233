/** Why a pack is not acceptable, and where: lines count from 1. */
export interface PackProblem {
  readonly line: number;
  readonly reason: string;
}

/** At most this many problems are told at once. */
export const maxProblems = 20;

/** Either a value or what stands against it. */
export type Checked<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problems: readonly PackProblem[] };

/** A refusal: in the order of the lines, without repetitions, bounded. */
export function refuse(problems: readonly PackProblem[]): { ok: false; problems: PackProblem[] } {
  const unique = [
    ...new Map(problems.map((problem) => [`${String(problem.line)} ${problem.reason}`, problem])).values(),
  ];
  return {
    ok: false,
    problems: unique
      .toSorted((a, b) => a.line - b.line)
      .slice(0, maxProblems)
      .map(({ line, reason }) => ({ line, reason: reason.slice(0, 500) })),
  };
}
