import { digestOf } from "@soma/kit/digest";
import type { Digest } from "@soma/contracts/ids";
import { isDigest } from "@soma/contracts/ids";
import type { TenantNewEvent } from "@soma/contracts/tenant-events";
import { integerOf, textOf, type StoredRow } from "./stored-row.ts";

export interface RetentionPass {
  readonly tenant: string;
  /** RFC 3339, UTC: sessions that ended before are cut. */
  readonly before: string;
  /**
   * True where events go to Kafka: one that is not there yet is not cut. Where they have once gone there, that holds
   * in any case.
   */
  readonly delivered: boolean;
  /** Sessions at most. */
  readonly limit: number;
  /** As whom it is recorded. */
  readonly actor: Pick<TenantNewEvent, "user" | "agent" | "authn">;
}

/** What one pass has cut. */
export interface RetentionCut {
  readonly sessions: number;
  readonly events: number;
}

/** What ends when its time is over. Rejects with `AUDIT_UNAVAILABLE` as the ledger does. */
export interface RetentionStore {
  /**
   * Cuts the sessions of a tenant that ended before a time, those that ended first: all events but the last one, and
   * the texts that no other session names. Recorded as `retention.applied` in the tenant's ledger, in the same
   * transaction: of several processes that do it at once, one cuts each session.
   *
   * @returns undefined when nothing was due
   */
  apply(pass: RetentionPass): Promise<RetentionCut | undefined>;
}

/** A session that is due: its last event but one is the last to go. */
export interface DueSession {
  readonly sessionId: string;
  readonly cutTo: number;
  readonly hash: Digest;
}

/** So many events of one pass at most, unless the first session alone has more. */
const maxEvents = 5_000;

export function dueSessionOf(row: StoredRow): DueSession {
  const hash = textOf(row, "hash");
  if (!isDigest(hash)) throw new TypeError("an event without a hash");
  return { sessionId: textOf(row, "session_id"), cutTo: integerOf(row, "cut_to"), hash };
}

/** Those that one transaction takes. */
export function withinBounds(due: readonly DueSession[]): readonly DueSession[] {
  let events = 0;
  return due.filter(({ cutTo }, index) => {
    events += cutTo;
    return index === 0 || events <= maxEvents;
  });
}

export function retentionEvent({ tenant, before, actor }: RetentionPass, due: readonly DueSession[]) {
  const sorted = due.toSorted((one, other) => (one.sessionId < other.sessionId ? -1 : 1));
  const list_digest = digestOf(sorted.map(({ sessionId, cutTo, hash }) => [sessionId, cutTo, hash]));
  const events = due.reduce((sum, { cutTo }) => sum + cutTo, 0);
  return {
    ...actor,
    tenant,
    type: "retention.applied",
    key: `retention.applied/${list_digest}`,
    data: { before, sessions: due.length, events, list_digest },
  } as const satisfies TenantNewEvent;
}
