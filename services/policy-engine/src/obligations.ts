import type { Obligation } from "@soma/contracts/policy";
import type { Capability, Role } from "@soma/contracts/wire-names";
import type { PackObligation } from "./packs/pack-schema.ts";

/** What applies to an allowed action at its score: of several limits the lowest, of several approvals each role once. */
export function collectObligations(
  obligations: readonly PackObligation[],
  action: Capability,
  score: number,
): Obligation[] {
  const applying = obligations.filter(
    ({ actions, from_score: fromScore = 0 }) => actions.includes(action) && score >= fromScore,
  );
  const limits = applying.flatMap(({ max_output_tokens: limit }) => (limit === undefined ? [] : [limit]));
  const approvers = new Set<Role>(applying.flatMap(({ require_approval: role }) => (role === undefined ? [] : [role])));
  return [
    ...(limits.length > 0 ? [{ kind: "max_output_tokens" as const, limit: Math.min(...limits) }] : []),
    ...[...approvers].map((role) => ({ kind: "require_approval" as const, role })),
  ];
}
