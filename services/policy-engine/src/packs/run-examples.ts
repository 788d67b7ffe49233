import type { EvaluateRequest } from "@soma/contracts/policy";
import { isSessionId, isTenantId } from "@soma/contracts/ids";
import { canonicalJson } from "@soma/kit/digest";
import { evaluate, type Verdict } from "../evaluate.ts";
import type { Pack } from "./pack.ts";
import type { PackExample } from "./pack-schema.ts";

interface ExampleFailure {
  /** Position in the pack's list. */
  readonly index: number;
  readonly reason: string;
}

/** Decides each example of a pack, with the same code that decides requests, and reports those that come out otherwise. */
export function runExamples(pack: Pack, examples: readonly PackExample[]): ExampleFailure[] {
  return examples.flatMap((example, index) => {
    const verdict = evaluate(pack, toRequest(pack, example.request));
    const differences = compare(example.expect, verdict);
    if (differences.length === 0) return [];
    const why = verdict.reasons.length > 0 ? ` (${verdict.reasons.join("; ")})` : "";
    return [{ index, reason: `example '${example.name}': ${differences.join(", ")}${why}` }];
  });
}

function toRequest(pack: Pack, { metadata = {}, ...request }: PackExample["request"]): EvaluateRequest {
  const session = "example";
  const { tenant = "tenant-example" } = pack;
  if (!isSessionId(session) || !isTenantId(tenant)) throw new TypeError("an id of examples is not one");
  return { ...request, session_id: session, tenant, metadata };
}

/** Compares only what the author wrote down. */
function compare(expect: PackExample["expect"], verdict: Verdict): string[] {
  const differences: string[] = [];
  const same = (what: string, expected: unknown, found: unknown): void => {
    if (expected !== undefined && canonicalJson(expected) !== canonicalJson(found))
      differences.push(`expected ${what} ${canonicalJson(expected)}, found ${canonicalJson(found)}`);
  };
  same("allowed", expect.allowed, verdict.allowed);
  same("severity", expect.severity, verdict.severity);
  same("rules", expect.rules?.toSorted(), verdict.rules.toSorted());
  same("policies", expect.policies?.toSorted(), verdict.policies.toSorted());
  for (const text of expect.reasons ?? []) {
    if (!verdict.reasons.some((reason) => reason.includes(text)))
      differences.push(`expected a reason with '${text}', found none`);
  }
  for (const obligation of verdict.obligations) {
    if (obligation.kind === "max_output_tokens") same(obligation.kind, expect.max_output_tokens, obligation.limit);
    else if (obligation.kind === "require_approval") same(obligation.kind, expect.require_approval, obligation.role);
    else same(obligation.kind, expect[obligation.kind], obligation.choice);
  }
  for (const kind of ["max_output_tokens", "require_approval", "out_of_budget", "memory_unavailable"] as const) {
    if (expect[kind] !== undefined && !verdict.obligations.some((obligation) => obligation.kind === kind))
      differences.push(`expected ${kind} ${String(expect[kind])}, found none`);
  }
  return differences;
}
