import { sha256 } from "@soma/kit/digest";
import { eventId } from "../../src/ledger/event-chain.ts";
import { at, chained, changed, more, without, type Loose } from "./damaged-ledgers.ts";

type Seed = (events: Loose[]) => Loose[];

function put(sequence: number, data: object, attributes: object = {}): Seed {
  return changed(sequence, (event) => {
    Object.assign(event.data, data);
    Object.assign(event, attributes);
  });
}

function drop(...sequences: number[]): Seed {
  return (events) => chained(without(events, ...sequences));
}

function inArguments(sequence: number, values: object): Seed {
  return changed(sequence, (event) => {
    Object.assign(event.data, { arguments: { ...Object(event.data["arguments"]), ...values } });
  });
}

function inMember(sequence: number, member: string, values: object): Seed {
  return changed(sequence, (event) => {
    Object.assign(event.data, { [member]: { ...Object(event.data[member]), ...values } });
  });
}

/** A copy of an event at another place, as another event. */
function insert(sequence: number, like: number, attributes: object = {}): Seed {
  return (events) => {
    const copied = more(events, sequence, `more-${String(sequence)}`, like);
    Object.assign(at(copied, sequence), attributes);
    return chained(copied);
  };
}

function all(...seeds: readonly Seed[]): Seed {
  return (events) => seeds.reduce((damaged, seed) => seed(damaged), events);
}

const other = sha256("other");
const nobodys = `apr_${"b".repeat(32)}`;
const tooLate = "2026-03-01T00:15:00.000Z";

/** Damages of a session that was steered (steered-session.ts), and what must be found: check and sequence, no more and no less. */
export const steeringSeeds: readonly [title: string, seed: Seed, ...found: string[]][] = [
  ["an intent that names no approval", changed(9, (event) => delete event.data["approval_id"]), "approval 9"],
  ["an approval that nobody asked for", put(9, { approval_id: nobodys }), "approval 9"],
  ["an approval with one person short", drop(7), "approval 8"],
  [
    "an approval that one person gave twice",
    all(put(6, { by: "user-2" }), put(7, { by: "user-2" })),
    "approval 7",
    "approval 9",
  ],
  [
    "an approval by who asked",
    all(put(4, { by: "user-4" }), put(5, { by: "user-4" }), put(3, { requested_by: "user-4" })),
    "approval 5",
    "approval 9",
  ],
  [
    "an approval by whose session it is",
    all(put(4, { by: "user-1" }), put(5, { by: "user-1" }), put(3, { requested_by: "user-4" })),
    "approval 5",
    "approval 9",
  ],
  ["an approval in another role", put(4, { by_role: "viewer" }), "approval 5", "approval 9"],
  [
    "an approval of another action than was asked for",
    all(put(5, { action_digest: other }), inArguments(4, { action_digest: other })),
    "approval 5",
    "approval 9",
  ],
  [
    "an approval that was given for another action than is done",
    all(
      ...[3, 5, 7].map((sequence) => put(sequence, { action_digest: other })),
      ...[4, 6].map((sequence) => inArguments(sequence, { action_digest: other })),
    ),
    "approval 9",
  ],
  ["an approval that was given for another effect", put(3, { effect_key: other }), "approval 9"],
  ["an approval that was given too late", put(5, {}, { time: tooLate }), "approval 5", "approval 9"],
  ["an approval that was used too late", put(9, {}, { time: tooLate }), "approval 9"],
  [
    "an approval with an expiry that is none",
    put(3, { expires_at: "never" }),
    "approval 5",
    "approval 7",
    "approval 9",
  ],
  [
    "an approval that was denied",
    all(put(6, { action: "deny" }), put(7, {}, { type: "approval.denied" })),
    "approval 9",
  ],
  ["an approval that had expired", put(7, {}, { type: "approval.expired" }), "approval 9"],
  ["an approval that was voided", insert(9, 3, { type: "approval.voided" }), "approval 10"],
  ["an approval of a turn that had ended", all(insert(9, 11), insert(10, 15)), "approval 11"],
  [
    "an approval that is used twice",
    all(insert(10, 8), insert(11, 9), put(10, { decision_id: "third" }), put(11, { decision_id: "third" })),
    "approval 11",
  ],
  ["an approval that is asked for twice", insert(4, 3), "approval 4"],
  ["an approval of fewer people than policy wants", put(3, { quorum: 1 }), "approval 7", "approval 9", "state 7"],
  ["an approval that nobody can give", put(3, { quorum: 0 }), "approval 9"],
  ["an approval of another role than policy wants", put(8, { obligations: [required("admin")] }), "approval 9"],
  ["approvals of several roles", put(8, { obligations: [required("approver"), required("admin")] }), "approval 9"],
  [
    "an approval of what nobody asked for",
    all(put(7, { approval_id: nobodys }), inArguments(6, { approval_id: nobodys })),
    "approval 7",
    "approval 9",
  ],
  ["a decision on an approval that is given", insert(8, 7), "action 8", "approval 8", "state 8"],

  ["a message that nobody decided on", drop(12), "action 12"],
  ["a message that policy refused", put(12, { allowed: false }), "action 13"],
  ["a message of another person", put(13, { by: "user-2" }), "action 13"],
  ["a message that was decided on as something else", put(12, { action: "pause" }), "action 13"],
  ["a message with another text", put(13, { message_digest: other }), "action 13"],
  ["an approval of another one than was decided on", inArguments(4, { approval_id: nobodys }), "action 5"],
  ["a message twice", insert(14, 13), "action 14"],
  ["a pause that nobody decided on", drop(15), "action 15"],
  ["a pause that names no action", changed(16, (event) => delete event.data["action_id"]), "action 16"],
  ["a resumption that nobody decided on", drop(17), "action 17"],
  ["an extension that nobody decided on", drop(24), "action 24"],

  ["more tokens set aside than there are", inMember(9, "reserved", { tokens: 101 }), "budget 9"],
  ["more money set aside than there is", inMember(9, "reserved", { cost_micros: 1_001 }), "budget 9"],
  [
    "more tokens spent than there are",
    inMember(10, "usage", { total_tokens: 101 }),
    ...[10, 20, 21, 26, 27].map((sequence) => `budget ${String(sequence)}`),
  ],
  ["more money spent than there is", all(put(10, { cost_micros: 501 })), "budget 26", "budget 27"],
  ["tokens set aside that were not extended", drop(24, 25), "budget 24", "budget 25"],
  [
    "tokens of an effect with an unknown outcome, set aside again",
    all(put(20, { reserved: { tokens: 92, cost_micros: 0 } }), failedAt(21, "MODEL_UNAVAILABLE")),
    "budget 26",
    "budget 27",
  ],
  ["a step too many", inMember(1, "budget", { steps: 2 }), "budget 26"],
  ["an effect after the budget's time", put(26, {}, { time: "2026-03-01T01:00:00.000Z" }), "budget 26"],
  ["an extension of no budget", changed(1, (event) => delete event.data["budget"]), "budget 25"],

  ["effects between two turns", drop(14), ...[19, 22, 25, 27].map((sequence) => `state ${String(sequence)}`)],
  ["effects while the session is paused", drop(17, 18), "state 18", "state 24"],
  [
    "a pause that another reason lifts",
    put(18, { reason: "tenant_suspended" }),
    ...[18, 20, 26].map((sequence) => `state ${String(sequence)}`),
  ],
  ["a pause of a paused session", insert(17, 16), "action 17", "state 17"],
  [
    "a message while the session is paused",
    all(insert(17, 12), insert(18, 13), number(17, 7), number(18, 7)),
    "state 18",
  ],
  ["a message to a session that takes none", changed(1, (event) => delete event.data["mode"]), "state 13"],
  ["an intent after a request to cancel", insert(26, 29, { type: "session.cancel_requested" }), "state 27"],
  [
    "an end while people are asked",
    (events) => insert(4, 29, { type: "session.completed" })(events).slice(0, 4),
    "state 4",
  ],
  ["a turn in a turn", insert(19, 14), "state 19"],
];

/** What a session may do all the same. */
export const steeringGoods: readonly [title: string, seed: Seed][] = [
  ["as it is", (events) => events],
  [
    "tokens of an effect that did not begin, set aside again",
    all(put(20, { reserved: { tokens: 92, cost_micros: 0 } }), failedAt(21, "MEMORY_UNAVAILABLE")),
  ],
  ["an approval that is voided after it was used", insert(10, 3, { type: "approval.voided" })],
  ["an approval in the last moment", put(5, {}, { time: "2026-03-01T00:14:59.999Z" })],
  ["a pause that the system made and lifted", all(withoutAction(16), withoutAction(18))],
  ["an approval that policy does not ask for any more", put(8, { obligations: [] })],
  ["an effect in the budget's last moment", put(26, {}, { time: "2026-03-01T00:59:59.999Z" })],
];

function required(role: string): object {
  return { kind: "require_approval", role, quorum: 2 };
}

function failedAt(sequence: number, code: string): Seed {
  return put(sequence, { code }, { type: "effect.failed" });
}

function withoutAction(sequence: number): Seed {
  return changed(sequence, (event) => {
    event.data = { step: "completion-2", reason: "tenant_suspended" };
  });
}

/** Another action: number and key. */
function number(sequence: number, action: number): Seed {
  const id = `act_${String(action).padStart(32, "0")}`;
  const key = `action/${id}/${String(sequence)}`;
  return put(sequence, { action_id: id }, { eventkey: key, id: eventId("tenant-a", "sess-1", key) });
}
