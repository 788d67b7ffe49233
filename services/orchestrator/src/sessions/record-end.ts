import { DomainError } from "@soma/kit/domain-error";
import type { SessionEnd } from "../activities/session-activities.ts";
import { sessionEndEvents } from "../activities/session-end.ts";
import type { Ledger, SessionKey } from "../ledger/ledger.ts";

/**
 * Records the end of a session that its workflow will not record, with the outcomes of what is under way; one that has
 * ended by now, by itself or by an earlier call, is left as it is.
 *
 * @throws DomainError AUDIT_UNAVAILABLE
 */
export async function recordEnd(
  ledger: Pick<Ledger, "findSession" | "readEvents" | "append">,
  key: SessionKey,
  end: SessionEnd,
): Promise<void> {
  const row = await ledger.findSession(key);
  if (row === undefined) return;
  try {
    await ledger.append(await sessionEndEvents(ledger, row, end));
  } catch (error) {
    if (!(error instanceof DomainError && (error.code === "SESSION_ENDED" || error.code === "EVENT_CONFLICT")))
      throw error;
  }
}
