import { DomainError } from "@soma/kit/domain-error";
import { sessionEndEvents } from "../activities/session-end.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { findSession } from "./find-session.ts";
import type { SessionDeps } from "./session-deps.ts";

/**
 * Ends a session at once, whatever it does: for one that no cancellation reaches any more. Its last event is written
 * first, so that no effect begins after it; then the workflow is ended, which stops what runs at its next sign of life.
 *
 * @throws DomainError ACTION_NOT_ALLOWED, TEMPORAL_UNAVAILABLE (asking again is safe), AUDIT_UNAVAILABLE
 */
export async function terminateSession(deps: SessionDeps, row: SessionRow): Promise<void> {
  const end = { status: "failed", error: { code: "SESSION_TERMINATED" } } as const;
  try {
    const now = await findSession(deps.ledger, row.tenant, row.session_id);
    await deps.ledger.append(await sessionEndEvents(deps.ledger, now, end));
  } catch (error) {
    // It ended by itself meanwhile, or by an earlier call that did not get as far as Temporal.
    if (!(error instanceof DomainError && (error.code === "SESSION_ENDED" || error.code === "EVENT_CONFLICT")))
      throw error;
  }
  await deps.workflows.terminate(row.session_id);
}
