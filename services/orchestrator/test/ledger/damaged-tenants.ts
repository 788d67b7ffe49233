import { eventId } from "../../src/ledger/event-chain.ts";
import { at, chained, type Loose } from "./damaged-ledgers.ts";

function changed(sequence: number, change: object): (events: Loose[]) => Loose[] {
  return (events) => {
    Object.assign(at(events, sequence), change);
    return chained(events);
  };
}

/** The id that goes with another subject or tenant. */
function idOf(events: readonly Loose[], sequence: number, tenant: string, subject: string): string {
  return eventId(tenant, subject, String(at(events, sequence)["eventkey"]));
}

/** Damages of a tenant's own ledger, and what must be found: check and sequence, no more and no less. */
export const tenantSeeds: readonly [title: string, seed: (events: Loose[]) => Loose[], ...found: string[]][] = [
  [
    "a session's type",
    changed(2, { type: "session.canceled" }),
    "end 3",
    "end 4",
    "end 5",
    "end 6",
    "end 7",
    "end 8",
    "shape 2",
  ],
  ["a source of a session", changed(3, { source: "/tenants/tenant-a/sessions/tenant:tenant-a" }), "session 3"],
  ["a beginning that is cut off", (events) => chained(events.slice(1)), "session 1"],
  ["a second creation", changed(4, { type: "tenant.created" }), "session 4"],
  ["an event left out", (events) => events.toSpliced(3, 1), "chain 5", "sequence 5"],
  [
    "a word changed",
    (events) => {
      at(events, 4).data["reasons"] = [];
      return events;
    },
    "hash 4",
  ],
  [
    "another tenant's subject",
    (events) => {
      const subject = "tenant:tenant-b";
      return changed(8, { subject, id: idOf(events, 8, "tenant-a", subject) })(events);
    },
    // Under its own tenant that is the id of no tenant's ledger, and so one of a session.
    "session 8",
    "shape 8",
  ],
  [
    "an event of a session",
    (events) => {
      const source = "/tenants/tenant-a/sessions/sess-1";
      return changed(8, { subject: "sess-1", source, id: idOf(events, 8, "tenant-a", "sess-1") })(events);
    },
    "session 8",
    "shape 8",
  ],
];
