import type { UserId } from "@soma/contracts/ids";
import type { StopDoubt } from "@soma/contracts/stop";
import { DomainError } from "@soma/kit/domain-error";
import { eventContext } from "../activities/step-events.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { recordEnd } from "../sessions/record-end.ts";
import type { StopDeps } from "./stop-deps.ts";

export interface StopCause {
  readonly stopId: string;
  readonly by: UserId;
  readonly reason?: string;
}

/** What came of asking a session to end; `asked`: its end is under way. */
export type Asked = "asked" | "ended" | Extract<StopDoubt, "not_recorded" | "temporal_unavailable">;

/**
 * Asks one session to end: recorded first, so that no effect of it begins from here on, then carried to its workflow. When
 * Temporal does not answer the record stays, and the reconciler carries it on later.
 */
export async function askToEnd(
  { ledger, workflows }: Pick<StopDeps, "ledger" | "workflows">,
  row: SessionRow,
  { stopId, by, reason }: StopCause,
): Promise<Asked> {
  try {
    await ledger.append([
      {
        ...eventContext(row),
        type: "session.cancel_requested",
        key: `session.cancel_requested/${stopId}`,
        data: { by, ...(reason !== undefined && { reason }), stop_id: stopId },
      },
    ]);
    if (await workflows.cancel(row.session_id)) return "asked";
    // No workflow will record the end: its start was given up, or it was ended from outside.
    await recordEnd(ledger, row, { status: "canceled" });
    return "ended";
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    if (error.code === "SESSION_ENDED") return "ended";
    if (error.code === "TEMPORAL_UNAVAILABLE") return "temporal_unavailable";
    if (error.code === "AUDIT_UNAVAILABLE") return "not_recorded";
    throw error;
  }
}
