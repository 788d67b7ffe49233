import { eventData, type EventData } from "@soma/contracts/audit";
import type { EvaluateRequest } from "@soma/contracts/policy";
import type { GovernedAction, Permit } from "@soma/contracts/permit";
import type { DecisionSummary, SessionFailure } from "@soma/contracts/session";
import { roles } from "@soma/contracts/wire-names";
import { Value } from "typebox/value";
import type { PolicyAnswer } from "../adapters/policy-client.ts";
import { meterStep, type Metered, type StepMeter } from "../budgets/step-meter.ts";
import type { ActivityDeps } from "../activities/activity-deps.ts";
import { eventContext, recoveredEvents, stepKeys } from "../activities/step-events.ts";
import type { PolicyOutcome, StepProposal } from "../activities/session-activities.ts";
import { isGranted, type ApprovalState } from "../ledger/session-approvals.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { asksSeveralRoles, neededApproval } from "./needed-approval.ts";
import { actionDigest, effectKeyOf, roundKey, signPermit } from "./permit.ts";

type Decided = EventData<"policy.decided">;

export interface Proposal extends StepProposal {
  /** The whole action, arguments bound. */
  readonly governed: GovernedAction;
  /** What policy is asked to judge. */
  readonly prompt: string;
  /** The user's own; goes to policy under one key and decides nothing by itself (P2). */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Of a step that calls a model: what its worst case is reckoned from. */
  readonly meter?: StepMeter;
}

/**
 * The only way to a permit: asks policy, records its decision, and signs a permit if, and only if, what was recorded
 * allows the action and every obligation is one that can be met. Asked again for the same step and round it answers
 * with what is recorded, so that a rerun neither changes a decision nor makes a second one.
 *
 * @throws DomainError POLICY_UNAVAILABLE, POLICY_BAD_RESPONSE or AUDIT_UNAVAILABLE: no permit, hence no effect.
 */
export async function decide(
  deps: ActivityDeps,
  row: SessionRow,
  proposal: Proposal,
  signal: AbortSignal,
): Promise<PolicyOutcome> {
  const key = stepKeys.decided(proposal.step, proposal.round);
  const recorded = await deps.ledger.findEvent(row.tenant, row.session_id, key);
  const decided = recorded ? readDecided(recorded.data) : await askAndRecord(deps, row, proposal, key, signal);
  return outcomeOf(deps, row, proposal, decided, await metered(deps, row, proposal, decided));
}

async function askAndRecord(
  deps: ActivityDeps,
  row: SessionRow,
  proposal: Proposal,
  key: string,
  signal: AbortSignal,
): Promise<Decided> {
  const effectKey = effectKeyOf({ ...row, step: proposal.step });
  const pack = (await deps.snapshots.find(row.tenant))?.settings.policy_pack;
  const answer = await deps.policy.evaluate(
    { ...requestOf(row, proposal), ...(pack !== undefined && { pack }) },
    {
      requestId: `${effectKey.slice(7, 39)}-${String(proposal.round)}`,
      idempotencyKey: roundKey(effectKey, proposal.round),
    },
    signal,
  );
  const data = decidedData(proposal, effectKey, answer);
  const recovered = recoveredEvents(row, proposal.step, "policy-engine");
  try {
    await deps.ledger.append([...recovered, { ...eventContext(row), type: "policy.decided", key, data }]);
    return data;
  } catch (error) {
    // Two attempts asked at once (a task that was rerun): what was recorded first is the decision.
    const first = await deps.ledger.findEvent(row.tenant, row.session_id, key);
    if (!first) throw error;
    return readDecided(first.data);
  }
}

function requestOf(row: SessionRow, proposal: Proposal): EvaluateRequest {
  const role = roles.find((known) => known === row.role) ?? "viewer";
  return {
    session_id: row.session_id,
    tenant: row.tenant,
    user: row.user,
    prompt: proposal.prompt,
    role,
    action: proposal.action,
    resource: proposal.resource,
    metadata: { ...proposal.metadata },
  };
}

function decidedData(proposal: Proposal, effectKey: Decided["effect_key"], answer: PolicyAnswer): Decided {
  return {
    step: proposal.step,
    action: proposal.action,
    resource: proposal.resource,
    action_digest: actionDigest(proposal.governed),
    effect_key: effectKey,
    decision_id: answer.decisionId,
    policy_version: answer.policyVersion,
    allowed: answer.allowed,
    score: answer.score,
    severity: answer.severity,
    reasons: [...answer.reasons],
    obligations: [...answer.obligations],
    expires_at: answer.expiresAt,
  };
}

function readDecided(data: unknown): Decided {
  return Value.Parse(eventData["policy.decided"], data);
}

function outcomeOf(
  deps: ActivityDeps,
  row: SessionRow,
  proposal: Proposal,
  decided: Decided,
  worst: Metered | undefined,
): PolicyOutcome {
  const { decision_id, allowed, score, severity, reasons, policy_version } = decided;
  const decision: DecisionSummary = { decision_id, allowed, score, severity, reasons, policy_version };
  const denied = refusalOf(decided);
  if (denied) return { denied, decision };
  const approval = neededApproval(decided.obligations) && grantedApproval(deps, row, decided);
  if (neededApproval(decided.obligations) !== undefined && approval === undefined)
    return { approvalNeeded: true, decision };
  const permit: Permit = signPermit(deps.keys.permit, {
    tenant: row.tenant,
    session_id: row.session_id,
    step: proposal.step,
    round: proposal.round,
    effect_key: decided.effect_key,
    action_digest: decided.action_digest,
    decision_id,
    policy_version,
    expires_at: earlier(decided.expires_at, approval?.expires_at),
    ...outputLimit(decided),
    ...memoryChoice(decided),
    ...(approval && { approval_id: approval.approval_id }),
    ...worst,
  });
  return { permit, action: proposal.governed, decision };
}

/** The approval that was given for this very action of this step, is still good and was not used. */
function grantedApproval(deps: ActivityDeps, row: SessionRow, decided: Decided): ApprovalState | undefined {
  const { role, quorum = 1 } = neededApproval(decided.obligations) ?? {};
  return row.approvals?.find(
    (approval) =>
      isGranted(approval) &&
      approval.effect_key === decided.effect_key &&
      approval.action_digest === decided.action_digest &&
      approval.role === role &&
      approval.quorum >= quorum &&
      Date.parse(approval.expires_at) > deps.now().getTime(),
  );
}

function earlier(time: string, other: string | undefined): string {
  return other !== undefined && Date.parse(other) < Date.parse(time) ? other : time;
}

function refusalOf(decided: Decided): SessionFailure | undefined {
  if (!decided.allowed) return { code: "POLICY_DENIED", detail: "Policy denied the action." };
  if (!asksSeveralRoles(decided.obligations)) return undefined;
  return {
    code: "OBLIGATION_UNMET",
    detail: "Policy asks for approvals by several roles; one action can be approved by one role.",
  };
}

/** What is to be set aside for the step, of a session or a tenant that has a bound. */
async function metered(
  deps: ActivityDeps,
  row: SessionRow,
  { meter }: Proposal,
  decided: Decided,
): Promise<Metered | undefined> {
  if (meter === undefined || !decided.allowed) return undefined;
  const quotas = (await deps.snapshots.find(row.tenant))?.settings.quotas;
  return meterStep(deps, row, quotas, meter, outputLimit(decided).max_output_tokens);
}

/** Going on without memory is what a permit says that says nothing. */
function memoryChoice({ obligations }: Decided): Pick<Permit, "memory_unavailable"> {
  const waits = obligations.some(
    ({ kind, ...rest }) => kind === "memory_unavailable" && "choice" in rest && rest.choice === "wait",
  );
  return waits ? { memory_unavailable: "wait" } : {};
}

function outputLimit(decided: Decided): { max_output_tokens?: number } {
  const limits = decided.obligations.flatMap((obligation) =>
    obligation.kind === "max_output_tokens" ? [obligation.limit] : [],
  );
  return limits.length === 0 ? {} : { max_output_tokens: Math.min(...limits) };
}
