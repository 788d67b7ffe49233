import { isTerminal } from "@soma/contracts/session";
import { workThrough } from "@soma/kit/work-through";
import type { Ledger } from "../ledger/ledger.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { isInScope, type StopOrder } from "./stop-order.ts";

const pageSize = 200;
const readsAtOnce = 8;

/** The sessions that have not ended and are in scope, a page of the index at a time. */
export async function* sessionsInScope(
  ledger: Pick<Ledger, "unendedSessions" | "findSession">,
  order: StopOrder,
): AsyncGenerator<readonly SessionRow[]> {
  if (order.scope === "session") {
    const { tenant, sessionId } = order;
    const row = await ledger.findSession({ tenant, sessionId });
    if (row !== undefined && !isTerminal(row.status)) yield [row];
    return;
  }
  for (let afterOrdinal = 0; ;) {
    const page = await ledger.unendedSessions({ afterOrdinal, limit: pageSize });
    const rows: SessionRow[] = [];
    await workThrough(
      page.filter(({ tenant }) => order.scope === "all" || tenant === order.tenant),
      readsAtOnce,
      async (key) => {
        const row = await ledger.findSession(key);
        if (row !== undefined && !isTerminal(row.status) && isInScope(order, row)) rows.push(row);
      },
    );
    yield rows;
    const last = page.at(-1);
    if (page.length < pageSize || last === undefined) return;
    afterOrdinal = last.ordinal;
  }
}
