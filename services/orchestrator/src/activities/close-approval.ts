import type { NewEvent } from "@soma/contracts/audit";
import { DomainError } from "@soma/kit/domain-error";
import { isGranted } from "../ledger/session-approvals.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { findKnownSession } from "./known-session.ts";
import type { SessionActivities } from "./session-activities.ts";
import { eventContext } from "./step-events.ts";

/**
 * Closes an approval that nobody waits for any more. Granted in the last moment, an expired one stands: the ledger
 * decides which was first. Local, idempotent.
 */
export function createCloseApproval(deps: ActivityDeps): SessionActivities["close-approval"] {
  return async ({ tenant, session_id, approval_id, because }) => {
    const row = await findKnownSession(deps, tenant, session_id);
    const context = eventContext(row);
    const event: NewEvent =
      because === "expired"
        ? { ...context, type: "approval.expired", key: `${approval_id}/expired`, data: { approval_id } }
        : { ...context, type: "approval.voided", key: `${approval_id}/voided`, data: { approval_id, reason: because } };
    try {
      await deps.ledger.append([event]);
      return { granted: false };
    } catch (error) {
      if (!(error instanceof DomainError) || !settled.has(error.code)) throw error;
      const { approvals = [] } = await findKnownSession(deps, tenant, session_id);
      return { granted: approvals.some((one) => one.approval_id === approval_id && isGranted(one)) };
    }
  };
}

/** Somebody decided meanwhile, or the session is not waiting for it any more. */
const settled: ReadonlySet<string> = new Set([
  "APPROVAL_CLOSED",
  "APPROVAL_NOT_FOUND",
  "TRANSITION_NOT_ALLOWED",
  "SESSION_ENDED",
]);
