import { isTerminal } from "@soma/contracts/session";
import type { UserId } from "@soma/contracts/ids";
import { DomainError } from "@soma/kit/domain-error";
import { eventContext } from "../activities/step-events.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { recordEnd } from "./record-end.ts";
import type { SessionDeps } from "./session-deps.ts";

/**
 * Asks a session to end: recorded first, then carried to the workflow, which cancels what is running. Asking again is
 * safe and does nothing more.
 *
 * @throws DomainError ACTION_NOT_ALLOWED for a session that has ended, TEMPORAL_UNAVAILABLE, AUDIT_UNAVAILABLE
 */
export async function cancelSession(deps: SessionDeps, row: SessionRow, by: UserId | undefined): Promise<void> {
  if (isTerminal(row.status)) {
    throw new DomainError(
      "ACTION_NOT_ALLOWED",
      `The session has ended (${row.status}); no action is possible any more.`,
    );
  }
  try {
    await deps.ledger.append([
      {
        ...eventContext(row),
        type: "session.cancel_requested",
        key: "session.cancel_requested",
        data: { by: by ?? row.user },
      },
    ]);
  } catch (error) {
    // Somebody else asked first: theirs is recorded, and the workflow may still need to hear of it.
    if (!(error instanceof DomainError && error.code === "EVENT_CONFLICT")) throw error;
  }
  const found = await deps.workflows.cancel(row.session_id);
  // No workflow will record the end: its start was given up, or it was ended from outside.
  if (!found) await recordEnd(deps.ledger, row, { status: "canceled" });
}
