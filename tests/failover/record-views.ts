import { isTenantSubject } from "@soma/contracts/tenant-events";
import type { ClientSession, LedgerRow, RunRecords } from "./records.ts";

/** An event as far as the checker reads it. */
export interface LedgerEvent {
  readonly id: string;
  readonly type: string;
  readonly tenant: string;
  readonly subject: string;
  readonly sequence: number;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export const endings: ReadonlySet<string> = new Set([
  "session.completed",
  "session.denied",
  "session.failed",
  "session.canceled",
  "session.timed_out",
]);

export function parseEvent(json: string): LedgerEvent {
  const event: Omit<LedgerEvent, "at"> & { readonly time: string } = JSON.parse(json);
  return { ...event, at: Date.parse(event.time) };
}

export function textOf(event: LedgerEvent, field: string): string {
  const value = event.data[field];
  return typeof value === "string" ? value : "";
}

export function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

/** The rows of each ledger: of the sessions, and of the tenants themselves. */
export function rowsBySession(records: RunRecords): Map<string, LedgerRow[]> {
  return groupBy(records.ledger, ({ session }) => session);
}

/** Each session's events as its file has them, in the order of `seq`. */
export function eventsBySession(records: RunRecords): Map<string, LedgerEvent[]> {
  return new Map(
    [...rowsBySession(records)].flatMap(([session, rows]) =>
      isTenantSubject(session)
        ? []
        : [[session, rows.toSorted((one, other) => one.seq - other.seq).map(({ json }) => parseEvent(json))]],
    ),
  );
}

/** The client's own name of a session, from its first event. */
export function labelOf(events: readonly LedgerEvent[]): string | undefined {
  const labels = events[0]?.data["labels"];
  return Array.isArray(labels) && typeof labels[0] === "string" ? labels[0] : undefined;
}

/** Ids that a client was told with 202. */
export function acknowledged({ starts }: ClientSession): string[] {
  return starts.flatMap(({ status, sessionId }) => (status === 202 && sessionId !== undefined ? [sessionId] : []));
}
