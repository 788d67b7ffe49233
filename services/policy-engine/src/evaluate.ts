import { severities, type Decision, type EvaluateRequest, type Severity } from "@soma/contracts/policy";
import type { Authorization } from "./cedar/authorizer.ts";
import { prepareText } from "./content/prepare-text.ts";
import type { ContentRule } from "./content/compile-rule.ts";
import { collectObligations } from "./obligations.ts";
import type { Pack } from "./packs/pack.ts";
import { resolveTarget, type Target } from "./platform-rules.ts";

/** What was decided and by which rules; the caller adds ids and times. */
export interface Verdict extends Pick<Decision, "allowed" | "score" | "severity" | "reasons" | "obligations"> {
  /** Ids of the content rules that matched. */
  readonly rules: readonly string[];
  /** Ids of the Cedar policies that decided. */
  readonly policies: readonly string[];
}

const maxReasons = 64;

/** A lack of rights is everyday; a policy that cannot be evaluated is a fault that somebody must mend. */
const authorizationSeverity = {
  permitted: "none",
  forbidden: "medium",
  not_permitted: "medium",
  failed: "critical",
} as const satisfies Record<Authorization["outcome"], Severity>;

/**
 * Decides a request; pure, no clock. Allowed is only what passes all three: the platform's rules, the pack's
 * authorization and its content rules. All of the pack's rules are asked even when one has denied, so that the reasons
 * are complete. No reason repeats what the caller sent.
 */
export function evaluate(pack: Pack | undefined, request: EvaluateRequest): Verdict {
  if (pack === undefined) return deny("critical", "no policy pack is active for this tenant");
  const target = resolveTarget(request);
  if (typeof target === "string") return deny("high", target);
  const text = prepareText(request.prompt);
  if (text === undefined) return deny("high", "platform: the prompt is too long once its characters are normalized");

  const authorization = pack.authorizer.authorize(request, target);
  const permitted = authorization.outcome === "permitted";
  const matched = pack.rules.filter((rule) => rule.actions.includes(target.action) && rule.matches(text));
  const score = authorization.outcome === "failed" ? 1 : sumScores(matched);
  const overThreshold = score >= pack.threshold;
  const allowed = permitted && !overThreshold && !matched.some((rule) => rule.effect === "deny");
  const reasons = [
    // Who permitted it is a reason for what is allowed, and would only confuse among the reasons of a denial.
    ...(allowed || !permitted ? explainAuthorization(pack, request, target, authorization) : []),
    ...matched.map((rule) => `rule ${rule.id}: ${rule.reason}`),
    ...(overThreshold && matched.length > 0
      ? [`score ${String(score)} reaches the threshold of ${String(pack.threshold)}`]
      : []),
  ];
  return {
    allowed,
    score,
    severity: highest([authorizationSeverity[authorization.outcome], ...matched.map((rule) => rule.severity)]),
    reasons: reasons.slice(0, maxReasons).map((reason) => reason.slice(0, 512)),
    obligations: allowed ? collectObligations(pack.obligations, target.action, score) : [],
    rules: matched.map((rule) => rule.id),
    policies: authorization.policies,
  };
}

function deny(severity: Severity, reason: string): Verdict {
  return { allowed: false, score: 1, severity, reasons: [reason], obligations: [], rules: [], policies: [] };
}

/** Clipped to 0..1 and rounded, so that 0.1 + 0.2 reaches a threshold of 0.3. */
function sumScores(rules: readonly ContentRule[]): number {
  const sum = rules.reduce((total, rule) => total + rule.score, 0);
  return Math.min(1, Math.round(sum * 10_000) / 10_000);
}

function highest(found: readonly Severity[]): Severity {
  return severities.findLast((severity) => found.includes(severity)) ?? "none";
}

function explainAuthorization(
  pack: Pack,
  request: EvaluateRequest,
  { action, resource }: Target,
  { outcome, policies }: Authorization,
): readonly string[] {
  const explain = (what: string): string[] =>
    policies.map((id) => `policy ${id}: ${pack.authorizer.reasonOf(id) ?? `${what} ${action}`}`);
  const explanations: Record<Authorization["outcome"], readonly string[]> = {
    permitted: explain("permits"),
    forbidden: explain("forbids"),
    not_permitted: [`authorization: no policy permits ${action} on this ${resource.type} to the role ${request.role}`],
    failed: [
      "authorization: a policy could not be evaluated, and that is a denial",
      ...policies.map((id) => `policy ${id}: could not be evaluated`),
    ],
  };
  return explanations[outcome];
}
