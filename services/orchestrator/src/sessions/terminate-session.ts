import type { SessionRow } from "../ledger/session-row.ts";
import { recordEnd } from "./record-end.ts";
import type { SessionDeps } from "./session-deps.ts";

/**
 * Ends a session at once, whatever it does: for one that no cancellation reaches any more. Its last event is written
 * first, so that no effect begins after it; then the workflow is ended, which stops what runs at its next sign of life.
 *
 * @throws DomainError TEMPORAL_UNAVAILABLE (asking again is safe), AUDIT_UNAVAILABLE
 */
export async function terminateSession(deps: SessionDeps, row: SessionRow): Promise<void> {
  const end = { status: "failed", error: { code: "SESSION_TERMINATED" } } as const;
  await recordEnd(deps.ledger, row, end);
  await deps.workflows.terminate(row.session_id);
}
