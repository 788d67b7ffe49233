import type { EventData } from "@soma/contracts/audit";
import { DigestSchema, UserIdSchema, type UserId } from "@soma/contracts/ids";
import { roles, type Role } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import { Type } from "typebox";

const closed = { additionalProperties: false } as const;

/** An approval that was asked for and neither used nor closed. */
export const ApprovalState = Type.Object(
  {
    approval_id: Type.String(),
    step: Type.String(),
    action: Type.String(),
    resource: Type.String(),
    action_digest: DigestSchema,
    effect_key: DigestSchema,
    requested_by: UserIdSchema,
    role: Type.Unsafe<Role>(Type.String({ enum: roles })),
    quorum: Type.Integer({ minimum: 1 }),
    granted_by: Type.Array(UserIdSchema),
    expires_at: Type.String(),
    reasons: Type.Array(Type.String()),
  },
  closed,
);
export type ApprovalState = Type.Static<typeof ApprovalState>;
type Approvals = readonly ApprovalState[];

export function isGranted({ quorum, granted_by }: ApprovalState): boolean {
  return granted_by.length >= quorum;
}

/** Those that still wait for somebody. */
export function openOf(approvals: Approvals): ApprovalState[] {
  return approvals.filter((approval) => !isGranted(approval));
}

/** @throws DomainError TRANSITION_NOT_ALLOWED: an approval is asked for once */
export function requested(approvals: Approvals, data: EventData<"approval.requested">): ApprovalState[] {
  if (approvals.some(({ approval_id }) => approval_id === data.approval_id))
    throw new DomainError("TRANSITION_NOT_ALLOWED", "This approval was asked for before.");
  const { decision_id: _decision, ...asked } = data;
  return [...approvals, { ...asked, granted_by: [] }];
}

/**
 * One person's yes. Bound to the action by its digest, to its time, and to somebody else than the one who asked and the
 * one whose session it is.
 *
 * @throws DomainError APPROVAL_NOT_FOUND, APPROVAL_CLOSED, APPROVAL_MISMATCH, APPROVAL_EXPIRED, OWN_REQUEST
 */
export function granted(
  approvals: Approvals,
  data: EventData<"approval.granted">,
  { time, owner }: { readonly time: string; readonly owner: UserId },
): ApprovalState[] {
  const approval = decidable(approvals, data, time);
  if (approval.requested_by === data.by || owner === data.by)
    throw new DomainError("OWN_REQUEST", "What was asked for in one's own name is for somebody else to approve.");
  if (approval.granted_by.includes(data.by))
    throw new DomainError("APPROVAL_CLOSED", "You have approved this already; it waits for somebody else.");
  const next = { ...approval, granted_by: [...approval.granted_by, data.by] };
  return approvals.map((one) => (one === approval ? next : one));
}

/** One person's no closes it. @throws as {@link granted}, but for OWN_REQUEST: who asked may take it back */
export function denied(approvals: Approvals, data: EventData<"approval.denied">, time: string): ApprovalState[] {
  const approval = decidable(approvals, data, time);
  return approvals.filter((one) => one !== approval);
}

/** Time is up. @throws DomainError APPROVAL_NOT_FOUND, APPROVAL_CLOSED when it was granted meanwhile */
export function expired(approvals: Approvals, { approval_id }: EventData<"approval.expired">): ApprovalState[] {
  const approval = find(approvals, approval_id);
  if (isGranted(approval)) throw closedAlready();
  return approvals.filter((one) => one !== approval);
}

/** Whatever came of it, it counts no more; one that is gone already is no error. */
export function voided(approvals: Approvals, { approval_id }: EventData<"approval.voided">): ApprovalState[] {
  return approvals.filter((one) => one.approval_id !== approval_id);
}

/**
 * Uses up the approval that an effect's intent names: here, in the append itself, so that of two intents one gets it.
 *
 * @throws DomainError APPROVAL_REQUIRED when it was not given for this very effect and action, APPROVAL_EXPIRED
 */
export function used(approvals: Approvals, data: EventData<"effect.intended">, time: string): ApprovalState[] {
  const { approval_id, effect_key, action_digest } = data;
  if (approval_id === undefined) return [...approvals];
  const approval = approvals.find((one) => one.approval_id === approval_id);
  if (approval === undefined || !isGranted(approval) || approval.effect_key !== effect_key)
    throw new DomainError("APPROVAL_REQUIRED", "The approval was not given for this step, or was used.");
  if (approval.action_digest !== action_digest)
    throw new DomainError("APPROVAL_REQUIRED", "The approval was given for another action.");
  assertInTime(approval, time);
  return approvals.filter((one) => one !== approval);
}

function decidable(
  approvals: Approvals,
  data: EventData<"approval.granted" | "approval.denied">,
  time: string,
): ApprovalState {
  const approval = find(approvals, data.approval_id);
  if (isGranted(approval)) throw closedAlready();
  if (approval.action_digest !== data.action_digest)
    throw new DomainError("APPROVAL_MISMATCH", "The approval is for an action with another digest; read it anew.");
  assertInTime(approval, time);
  return approval;
}

function find(approvals: Approvals, id: string): ApprovalState {
  const approval = approvals.find((one) => one.approval_id === id);
  if (approval === undefined)
    throw new DomainError("APPROVAL_NOT_FOUND", "The session has no open approval of this id.");
  return approval;
}

function assertInTime({ expires_at }: ApprovalState, time: string): void {
  if (Date.parse(time) >= Date.parse(expires_at))
    throw new DomainError("APPROVAL_EXPIRED", "The time for this approval is over.");
}

function closedAlready(): DomainError {
  return new DomainError("APPROVAL_CLOSED", "The approval was decided before.");
}
