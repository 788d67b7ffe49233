import assert from "node:assert/strict";
import { genesisHash, type NewEvent } from "@soma/contracts/audit";
import { digestOf, sha256 } from "@soma/kit/digest";
import { eventId, sealEvent } from "../../src/ledger/event-chain.ts";
import { completedEvent, createdEvent, stepEvents } from "./sample-events.ts";

export type Loose = Record<string, unknown> & { data: Record<string, unknown> };

export const subject = { tenant: "tenant-a", session_id: "sess-1" };
export const contents = { [sha256("hello")]: "hello", [sha256("world")]: "world" };

/** created, two steps of decision, intent and outcome, end: sequences 1 to 8. */
export const told: readonly NewEvent[] = [
  createdEvent(subject),
  ...stepEvents(subject, "step-1"),
  ...stepEvents(subject, "step-2"),
  completedEvent(subject),
];

/** The same, as the ledger would have sealed it at a time when its decisions hold. */
export function story(events: readonly NewEvent[] = told): Loose[] {
  return chained(
    events.map((event) => {
      const place = { sequence: 1, prevhash: genesisHash, time: "2026-03-01T00:00:00.000Z" };
      return structuredClone(sealEvent(event, place).event);
    }),
  );
}

/** What a forger with some skill does: number and chain anew. */
export function chained(events: Loose[]): Loose[] {
  let prevhash: string = genesisHash;
  for (const [index, event] of events.entries()) {
    Object.assign(event, { sequence: index + 1, prevhash });
    rehash(event);
    prevhash = String(event["hash"]);
  }
  return events;
}

function rehash(event: Loose): void {
  event["hash"] = digestOf({ ...event, hash: undefined });
}

/** The event at a sequence. */
export function at(events: readonly Loose[], sequence: number): Loose {
  const event = events[sequence - 1];
  assert.ok(event);
  return event;
}

/** An event more, which is as good as the others by itself. */
export function more(events: Loose[], sequence: number, key: string, like: number): Loose[] {
  const copy = structuredClone(at(events, like));
  Object.assign(copy, { eventkey: key, id: eventId("tenant-a", "sess-1", key) });
  return chained(events.toSpliced(sequence - 1, 0, copy));
}

/** The events but those at some sequences. */
export function without(events: readonly Loose[], ...sequences: number[]): Loose[] {
  return events.filter((_, index) => !sequences.includes(index + 1));
}

export function changed(sequence: number, change: (event: Loose) => void): (events: Loose[]) => Loose[] {
  return (events) => {
    change(at(events, sequence));
    return chained(events);
  };
}

/** Each seeded violation, and what must be found: check and sequence, no more and no less. */
export const seeded: readonly [title: string, seed: (events: Loose[]) => Loose[], ...found: string[]][] = [
  ["an attribute of no format", changed(2, (event) => Object.assign(event, { note: "x" })), "shape 2"],
  ["an attribute missing", changed(2, (event) => delete event["user"]), "shape 2"],
  ["a time that is none", changed(5, (event) => Object.assign(event, { time: "soon" })), "shape 5"],
  [
    "an unknown type",
    changed(2, (event) => Object.assign(event, { type: "policy.bent" })),
    "permit 3",
    "shape 2",
    "state 3",
  ],
  ["data that is none", changed(7, (event) => Object.assign(event, { data: [] })), "intent 7", "shape 7"],
  ["another session's source", changed(2, (event) => Object.assign(event, { source: "/tenants/x" })), "session 2"],
  [
    "another tenant's event",
    changed(5, (event) => {
      const id = eventId("tenant-b", "sess-1", String(event["eventkey"]));
      Object.assign(event, { tenant: "tenant-b", source: "/tenants/tenant-b/sessions/sess-1", id });
    }),
    "session 5",
    "session 6",
  ],
  ["a beginning that is cut off", (events) => chained(without(events, 1)), "session 1"],
  ["a second creation", (events) => more(events, 5, "again", 1), "session 5"],
  ["an event left out", (events) => without(events, 5), "chain 6", "permit 6", "sequence 6"],
  [
    "two events in the wrong order",
    ([a, b, c, ...rest]) => (a && b && c ? [a, c, b, ...rest] : []),
    "chain 2",
    "chain 3",
    "chain 4",
    "permit 3",
    "sequence 2",
    "sequence 3",
    "sequence 4",
    "state 3",
  ],
  [
    "a number that is skipped, chained anew",
    (events) => {
      Object.assign(at(events, 8), { sequence: 9 });
      rehash(at(events, 8));
      return events;
    },
    "sequence 9",
  ],
  [
    "a word changed",
    (events) => {
      at(events, 2).data["score"] = 0;
      return events;
    },
    "hash 2",
  ],
  [
    "an event changed and hashed anew",
    (events) => {
      at(events, 5).data["score"] = 0;
      rehash(at(events, 5));
      return events;
    },
    "chain 6",
  ],
  ["a key that is not the id's", changed(2, (event) => Object.assign(event, { eventkey: "other" })), "id 2"],
  [
    "an event twice",
    (events) => chained([...events.slice(0, 2), structuredClone(at(events, 2)), ...events.slice(2)]),
    "id 3",
  ],
  ["an effect that nobody decided", (events) => chained(without(events, 2)), "permit 2", "state 2"],
  ["a denied effect", changed(2, (event) => (event.data["allowed"] = false)), "permit 3", "state 3"],
  ["an allowance that is no boolean", changed(2, (event) => (event.data["allowed"] = "true")), "permit 3", "state 3"],
  ["a decision on other arguments", changed(2, (event) => (event.data["action_digest"] = sha256("x"))), "permit 3"],
  ["a decision on another effect", changed(2, (event) => (event.data["effect_key"] = sha256("x"))), "permit 3"],
  ["a decision with another id", changed(2, (event) => (event.data["decision_id"] = "x")), "permit 3"],
  ["an expired decision", changed(2, (event) => (event.data["expires_at"] = "2026-02-28T23:59:59.999Z")), "permit 3"],
  [
    "an expiry of another width",
    changed(2, (event) => (event.data["expires_at"] = "2999-01-01T00:00:00Z")),
    "permit 3",
  ],
  [
    "a decision that asks for an approval",
    changed(2, (event) => (event.data["obligations"] = [{ kind: "require_approval", role: "operator" }])),
    "approval 3",
  ],
  ["an intent that names no effect", changed(3, (event) => delete event.data["effect_key"]), "intent 4", "permit 3"],
  [
    "half a surrogate pair",
    (events) => {
      at(events, 2).data["reasons"] = ["\ud800"];
      return events;
    },
    "hash 2",
  ],
  ["an expiry that is no time", changed(2, (event) => (event.data["expires_at"] = "never")), "permit 3"],
  [
    "a denial after the decision",
    (events) => {
      const denied = more(events, 3, "step-1/policy.decided-again", 2);
      Object.assign(at(denied, 3).data, { decision_id: "later", allowed: false });
      return chained(denied);
    },
    "permit 4",
  ],
  [
    "a decision after the effect",
    (events) => chained([at(events, 1), at(events, 3), at(events, 2), ...events.slice(3)]),
    "permit 2",
    "state 2",
  ],
  ["an outcome without intent", (events) => chained(without(events, 3)), "intent 3"],
  ["a decision used twice", (events) => more(events, 4, "step-1/effect.intended/2", 3), "once 4"],
  [
    "an effect done again",
    (events) => {
      const again = more(more(events, 5, "step-1/policy.decided/2", 2), 6, "step-1/effect.intended/2", 3);
      for (const sequence of [5, 6]) at(again, sequence).data["decision_id"] = "decision-2";
      return chained(again);
    },
    "once 6",
  ],
  ["an effect with two outcomes", (events) => more(events, 5, "step-1/effect.completed-again", 4), "once 5"],
  ["an event after the end", (events) => more(events, 9, "late", 2), "end 9"],
  ["an end after the end", (events) => more(events, 9, "late", 8), "end 9"],
];
