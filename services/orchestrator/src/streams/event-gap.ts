import type { AuditEvent } from "@soma/contracts/audit";
import type { GapFrame } from "@soma/contracts/session-stream";
import type { SessionRow } from "../ledger/session-row.ts";

/**
 * What is missing between a position and a page that was read after it: retention cuts a ledger from its beginning.
 *
 * @param row as it was read before the page
 */
export function gapBefore(
  page: readonly AuditEvent[],
  after: number,
  row: Pick<SessionRow, "last_seq">,
): GapFrame | undefined {
  const to = (page[0]?.sequence ?? row.last_seq + 1) - 1;
  return to > after ? { from: after + 1, to } : undefined;
}
