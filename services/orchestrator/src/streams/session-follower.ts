import { setTimeout as sleep } from "node:timers/promises";
import type { AuditEvent } from "@soma/contracts/audit";
import { isTerminal } from "@soma/contracts/session";
import type { Ledger } from "../ledger/ledger.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import type { Delta, DeltaHub } from "./delta-hub.ts";
import type { EventTail } from "./event-tail.ts";
import { isLastEvent } from "./last-event.ts";

const pageSize = 200;
/** Deltas that wait for a slow reader, in UTF-16 units; beyond it they are dropped, and the text's end brings them. */
const maxWaitingUnits = 262_144;

export interface FollowDeps {
  readonly ledger: Ledger;
  readonly tail: EventTail;
  readonly deltas: DeltaHub;
}

/** A durable event, a piece of a text in the making, or `undefined` when nothing happened for a while. */
export type Followed =
  | { readonly kind: "event"; readonly event: AuditEvent }
  | { readonly kind: "delta"; readonly delta: Delta }
  | { readonly kind: "quiet" };

interface Following {
  /** Events after this `sequence`. */
  readonly after: number;
  /** Says `quiet` after this long without anything. */
  readonly quietMs: number;
  /** Ends the following without an error. */
  readonly signal: AbortSignal;
}

/**
 * Gives a session's events in order, each once, first those that are there and then those that come, and the deltas of
 * this process between them; ends after the session's last event. The reader sets the pace.
 *
 * @throws DomainError AUDIT_UNAVAILABLE when the ledger cannot be read
 */
export async function* followSession(
  deps: FollowDeps,
  row: SessionRow,
  { after, quietMs, signal }: Following,
): AsyncGenerator<Followed> {
  const waiting: Delta[] = [];
  let waitingUnits = 0;
  let noticed = 0;
  let wake = nobodyWaits;
  const unsubscribeDeltas = deps.deltas.subscribe(row.session_id, (delta) => {
    waitingUnits += delta.text.length;
    if (waitingUnits > maxWaitingUnits) waiting.length = 0;
    else waiting.push(delta);
    wake();
  });
  // Subscribed before the past is read: what is appended in between is noticed.
  const unsubscribe = await deps.tail.subscribe(row.session_id, (events) => {
    const last = events.at(-1);
    if (last === undefined || last.tenant !== row.tenant) return;
    noticed = Math.max(noticed, last.sequence);
    wake();
  });
  const onAbort = (): void => {
    wake();
  };
  signal.addEventListener("abort", onAbort);
  const { tenant, session_id: sessionId } = row;
  let sent = after;
  let first = true;
  try {
    while (!signal.aborted) {
      while ((first || noticed > sent) && !signal.aborted) {
        first = false;
        const events = await deps.ledger.readEvents({ tenant, sessionId, after: sent, limit: pageSize });
        for (const event of events) {
          sent = event.sequence;
          yield { kind: "event", event };
          if (isLastEvent(event.type)) return;
        }
        if (events.length === pageSize) first = true;
        // What was noticed and is not there yet: an append that this reader's replica of the database has not seen.
        else if (events.length === 0 && noticed > sent) await sleep(20);
      }
      if (isTerminal(row.status) && sent >= row.last_seq) return;
      const delta = waiting.shift();
      if (delta) {
        if (waiting.length === 0) waitingUnits = 0;
        yield { kind: "delta", delta };
        continue;
      }
      if (signal.aborted || noticed > sent) continue;
      const woken = await wokenWithin(quietMs, (call) => {
        wake = call;
      });
      if (!woken) yield { kind: "quiet" };
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    unsubscribeDeltas();
    unsubscribe();
  }
}

function nobodyWaits(): void {
  // What happens while the reader is busy is seen when it comes back.
}

function wokenWithin(ms: number, onWake: (call: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve(false);
    }, ms);
    onWake(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
