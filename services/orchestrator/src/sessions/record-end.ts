import { DomainError } from "@soma/kit/domain-error";
import type { SessionEnd } from "../activities/session-activities.ts";
import { sessionEndEvents } from "../activities/session-end.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { SessionRow } from "../ledger/session-row.ts";

/**
 * Records the end of a session that its workflow will not record, with the outcomes of what is under way; one that has
 * ended by now, by itself or by an earlier call, is left as it is. True when this call recorded it.
 *
 * @throws DomainError AUDIT_UNAVAILABLE
 */
export async function recordEnd(
  ledger: Pick<Ledger, "findSession" | "readEvents" | "append">,
  { tenant, session_id: sessionId }: Pick<SessionRow, "tenant" | "session_id">,
  end: SessionEnd,
): Promise<boolean> {
  const row = await ledger.findSession({ tenant, sessionId });
  if (row === undefined) return false;
  try {
    const appended = await ledger.append(await sessionEndEvents(ledger, row, end));
    return appended.some(({ duplicate }) => !duplicate);
  } catch (error) {
    if (error instanceof DomainError && (error.code === "SESSION_ENDED" || error.code === "EVENT_CONFLICT"))
      return false;
    throw error;
  }
}
