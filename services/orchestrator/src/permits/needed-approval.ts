import type { Obligation } from "@soma/contracts/policy";

export type ApprovalObligation = Extract<Obligation, { kind: "require_approval" }>;

/** The approval that a decision asks for, if any. */
export function neededApproval(obligations: readonly Obligation[]): ApprovalObligation | undefined {
  return approvalsOf(obligations)[0];
}

/** One role decides on one action: a decision that wants several has no way to be met. */
export function asksSeveralRoles(obligations: readonly Obligation[]): boolean {
  return approvalsOf(obligations).length > 1;
}

function approvalsOf(obligations: readonly Obligation[]): ApprovalObligation[] {
  return obligations.filter((one) => one.kind === "require_approval");
}
