import { PatternRefused, patternCost } from "./pattern-cost.ts";

/**
 * Steps at one position of the prompt that all patterns of a pack may cost together. Measured: V8 does about
 * 2 × 10⁸ to 3 × 10⁸ of them in a second, so the longest prompt keeps the process for about a second at the very
 * worst and, as real patterns fail at their first character, for milliseconds.
 */
export const maxPackSteps = 2_000;

/** Steps that one pattern may cost. */
const maxPatternSteps = 1_000;

export interface CompiledPattern {
  readonly steps: number;
  test(text: string): boolean;
}

/**
 * Compiles a pack's pattern: case-insensitive, Unicode, of the subset whose cost can be known (see `pattern-cost.ts`).
 *
 * @throws PatternRefused saying to the pack's author what is not accepted.
 */
export function compilePattern(source: string): CompiledPattern {
  let expression: RegExp;
  try {
    expression = new RegExp(source, "iu");
  } catch (error) {
    throw new PatternRefused(error instanceof Error ? error.message : "is not a regular expression");
  }
  const { steps } = patternCost(source);
  if (steps > maxPatternSteps)
    throw new PatternRefused(
      `can take ${Number.isFinite(steps) ? String(steps) : "countless"} steps at each character of a prompt; ` +
        `at most ${String(maxPatternSteps)} are accepted: shorten the repetitions, or use \`near\``,
    );
  if (expression.test("")) throw new PatternRefused("matches the empty text, and with it every prompt");
  return { steps, test: (text) => expression.test(text) };
}
