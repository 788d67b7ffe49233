import type { Severity } from "@soma/contracts/policy";
import type { PackRule } from "../packs/pack-schema.ts";
import { compileNear } from "./near-words.ts";
import { compilePattern } from "./compile-pattern.ts";
import { splitWords, type PreparedText } from "./prepare-text.ts";

/** A content rule, ready to run. */
export interface ContentRule {
  readonly id: string;
  readonly actions: readonly string[];
  readonly effect: "deny" | "score";
  readonly score: number;
  readonly severity: Severity;
  readonly reason: string;
  /** Cost of the rule's pattern at one position, in steps; 0 without one. */
  readonly steps: number;
  matches(text: PreparedText): boolean;
}

/**
 * A rule matches when its terms, its `near` or its pattern do.
 *
 * @throws PatternRefused when the rule's pattern is not acceptable.
 */
export function compileRule(rule: PackRule): ContentRule {
  const tests: ((text: PreparedText) => boolean)[] = [];
  for (const term of rule.terms ?? []) {
    const phrase = ` ${splitWords(term.normalize("NFKC")).join(" ")} `;
    tests.push((text) => text.phrase.includes(phrase));
  }
  if (rule.near) {
    const near = compileNear(rule.near.words, rule.near.within);
    tests.push((text) => near(text.words));
  }
  const pattern = rule.pattern === undefined ? undefined : compilePattern(rule.pattern);
  if (pattern) tests.push((text) => pattern.test(text.text));
  const { id, actions, effect, score, severity, reason } = rule;
  return {
    id,
    actions,
    effect,
    score,
    severity,
    reason,
    steps: pattern?.steps ?? 0,
    matches: (text) => tests.some((test) => test(text)),
  };
}
