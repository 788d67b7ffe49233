import { setTimeout as sleep } from "node:timers/promises";
import type { AuditEvent } from "@soma/contracts/audit";
import { isTerminal } from "@soma/contracts/session";
import type { Ledger } from "../ledger/ledger.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import type { Delta } from "@soma/contracts/session-stream";
import type { EventTail } from "./event-tail.ts";
import { isLastEvent } from "./last-event.ts";
import { StreamTexts, type TextSources } from "./stream-texts.ts";

const pageSize = 200;

export interface FollowDeps {
  readonly ledger: Ledger;
  readonly tail: EventTail;
  readonly texts: TextSources;
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
 * texts in the making between them, whichever process makes them; ends after the session's last event. The reader sets the
 * pace: what grew meanwhile comes as one delta. The end of a text is not told; its event names the content.
 *
 * @throws DomainError AUDIT_UNAVAILABLE when the ledger cannot be read
 */
export async function* followSession(
  deps: FollowDeps,
  row: SessionRow,
  { after, quietMs, signal }: Following,
): AsyncGenerator<Followed> {
  const texts = new StreamTexts(deps.texts, row);
  let noticed = 0;
  let wake = nobodyWaits;
  // Subscribed before the past is read: what is appended in between is noticed.
  const unsubscribe = await deps.tail.subscribe(row.session_id, (events) => {
    const last = events.at(-1);
    if (last === undefined || last.tenant !== row.tenant) return;
    noticed = Math.max(noticed, last.sequence);
    wake();
  });
  const unfollow = isTerminal(row.status)
    ? nobodyWaits
    : await texts.follow(() => {
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
          texts.endWith(event);
          yield { kind: "event", event };
          if (isLastEvent(event.type)) return;
        }
        if (events.length === pageSize) first = true;
        // What was noticed and is not there yet: an append that this reader's replica of the database has not seen.
        else if (events.length === 0 && noticed > sent) await sleep(20);
      }
      if (isTerminal(row.status) && sent >= row.last_seq) return;
      const beginning = texts.beginning();
      if (beginning.length > 0) {
        // What was recorded before a text began comes before it.
        await deps.tail.flush();
        if (noticed > sent) continue;
        texts.admit(beginning);
      }
      const delta = texts.next();
      if (delta) {
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
    unfollow();
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
