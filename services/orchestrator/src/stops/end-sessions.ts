import { setTimeout as sleep } from "node:timers/promises";
import type { StopDoubt } from "@soma/contracts/stop";
import { isTerminal } from "@soma/contracts/session";
import { workThrough } from "@soma/kit/work-through";
import { stepsUnderWay } from "../activities/session-end.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { askToEnd, type Asked, type StopCause } from "./ask-to-end.ts";
import { sessionsInScope } from "./sessions-in-scope.ts";
import { defaultStopTimes, type StopDeps } from "./stop-deps.ts";
import type { StopOrder } from "./stop-order.ts";

const atOnce = 16;
/** A session that starts while a stop runs is found by a later pass; those that start for ever are a suspension's work. */
const maxPasses = 5;
const lookEveryMs = 100;

/** A session that was in scope, and what is known of it. */
export interface Reached {
  readonly row: SessionRow;
  readonly outcome: "stopped" | "already_ended" | StopDoubt;
}

/**
 * Asks every session in scope to end, in passes until one finds no other, and waits a while for the ends. It is the
 * ledger that says whether one has ended, and nobody else.
 */
export async function endSessions(deps: StopDeps, order: StopOrder, cause: StopCause): Promise<readonly Reached[]> {
  const { askingMs, endingMs } = deps.stopTimes ?? defaultStopTimes;
  const deadlineMs = performance.now() + askingMs;
  const asked = new Map<string, { readonly row: SessionRow; readonly said: Asked | "not_in_time" }>();
  for (let pass = 1; pass <= maxPasses; pass += 1) {
    let found = 0;
    for await (const rows of sessionsInScope(deps.ledger, order)) {
      const fresh = rows.filter(({ session_id }) => !asked.has(session_id));
      found += fresh.length;
      await workThrough(fresh, atOnce, async (row) => {
        const late = performance.now() >= deadlineMs;
        asked.set(row.session_id, { row, said: late ? "not_in_time" : await askToEnd(deps, row, cause) });
      });
    }
    if (found === 0 || order.scope === "session") break;
  }
  const underWay = [...asked.values()].filter(({ said }) => said === "asked").map(({ row }) => row);
  await waitForEnds(deps.ledger, underWay, endingMs);
  const reached: Reached[] = [];
  await workThrough(asked.values(), atOnce, async ({ row, said }) => {
    reached.push({ row, outcome: await outcomeOf(deps.ledger, row, said) });
  });
  return reached.toSorted((one, other) => (one.row.session_id < other.row.session_id ? -1 : 1));
}

async function waitForEnds(ledger: Ledger, rows: readonly SessionRow[], withinMs: number): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  let left = rows;
  while (left.length > 0 && performance.now() < deadlineMs) {
    await sleep(lookEveryMs);
    const open: SessionRow[] = [];
    await workThrough(left, atOnce, async (row) => {
      const now = await ledger.findSession({ tenant: row.tenant, sessionId: row.session_id });
      if (now !== undefined && !isTerminal(now.status)) open.push(row);
    });
    left = open;
  }
}

async function outcomeOf(ledger: Ledger, row: SessionRow, said: Asked | "not_in_time"): Promise<Reached["outcome"]> {
  const now = (await ledger.findSession({ tenant: row.tenant, sessionId: row.session_id })) ?? row;
  // An end of another kind than a failure or a cancellation is not the stop's doing.
  if (isTerminal(now.status))
    return now.cancel_requested === true && now.status !== "completed" && now.status !== "denied"
      ? "stopped"
      : "already_ended";
  if (said !== "asked" && said !== "ended") return said;
  return (await stepsUnderWay(ledger, now)).length > 0 ? "effect_under_way" : "not_ended_yet";
}
