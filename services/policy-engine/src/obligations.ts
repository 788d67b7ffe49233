import type { MemoryUnavailable, Obligation, OutOfBudget } from "@soma/contracts/policy";
import type { Capability, Role } from "@soma/contracts/wire-names";
import type { PackObligation } from "./packs/pack-schema.ts";

/**
 * What applies to an allowed action at its score, where several say something the stricter: the lowest limit, each role's
 * approval once with the greatest quorum and the shortest time, an end before a wait, a wait before going on.
 */
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
  const budget = strictest<OutOfBudget>(
    applying.map(({ out_of_budget: choice }) => choice),
    "end",
  );
  const memory = strictest<MemoryUnavailable>(
    applying.map(({ memory_unavailable: choice }) => choice),
    "wait",
  );
  return [
    ...(limits.length > 0 ? [{ kind: "max_output_tokens" as const, limit: Math.min(...limits) }] : []),
    ...[...approvers].map((role) =>
      approvalOf(
        role,
        applying.filter(({ require_approval: asked }) => asked === role),
      ),
    ),
    ...(budget === undefined ? [] : [{ kind: "out_of_budget" as const, choice: budget }]),
    ...(memory === undefined ? [] : [{ kind: "memory_unavailable" as const, choice: memory }]),
  ];
}

function approvalOf(role: Role, asked: readonly PackObligation[]): Obligation {
  const quorums = asked.flatMap(({ approval_quorum: quorum }) => (quorum === undefined ? [] : [quorum]));
  const times = asked.flatMap(({ approval_expires_seconds: seconds }) => (seconds === undefined ? [] : [seconds]));
  return {
    kind: "require_approval",
    role,
    ...(quorums.length > 0 && { quorum: Math.max(...quorums) }),
    ...(times.length > 0 && { expires_in_seconds: Math.min(...times) }),
  };
}

function strictest<Choice extends string>(
  choices: readonly (Choice | undefined)[],
  strict: Choice,
): Choice | undefined {
  return choices.includes(strict) ? strict : choices.find((choice) => choice !== undefined);
}
