import { AuditEvent, eventData, type EventType } from "@soma/contracts/audit";
import { TenantEvent, tenantEventData, type TenantEventType } from "@soma/contracts/tenant-events";
import { code, page, table } from "./markdown.ts";
import { descriptionOf, describeType, fieldsOf } from "./schema-words.ts";

/** What each event says; a type that is missing here does not compile. */
const meanings: Readonly<Record<EventType, string>> = {
  "session.created": "The session exists. Always the first event, and nowhere else.",
  "policy.decided": "Policy decided on a step, for or against. One for each round of a step.",
  "token.issued": "A token was minted for a step. It stands here by its id only.",
  "effect.intended": "A permit was checked and the effect is about to be attempted. Committed before the effect.",
  "effect.completed": "The effect took place; its result has this digest.",
  "effect.failed": "An intended effect has no result: the session failed or was canceled.",
  "dependency.unavailable":
    "A step waits for something that is down or cannot be trusted. One for each outage that it sees.",
  "dependency.recovered": "What the session waited for is back.",
  "session.paused":
    "The session goes on by itself once the reason is gone; what is under way ends. One for each pause.",
  "session.resumed": "The reason of a pause is gone.",
  "memory.recalled": "What the session's memory gave for a turn; its text has this digest. An outcome.",
  "memory.remembered": "The session's memory has taken this text. An outcome.",
  "memory.skipped": "The session went on without its memory, which could not be used.",
  "action.decided": "Policy decided on what somebody asks of the session. Recorded before anything comes of it.",
  "action.refused": "What policy allowed did not fit the session, so nothing came of it.",
  "message.received": "A message waits for its turn.",
  "turn.started": "A turn begins with this message; without `action_id` it is a failed one, tried again.",
  "turn.ended": "The turn is over. Answered or not, the session takes the next message.",
  "approval.requested": "A step waits for people to approve this very action, until it expires.",
  "approval.granted":
    "One person approved. With the last one of the quorum policy is asked again, and the step goes on.",
  "approval.denied": "One person denied: the step does not take place.",
  "approval.expired": "Nobody decided in time, which counts as denied.",
  "approval.voided": "It counts no more, whatever was decided.",
  "budget.exhausted": "A step might take more than the budget has left; it waits for an extension or ends.",
  "budget.extended": "The budget has these bounds from now on.",
  "session.cancel_requested": "Somebody asked the session to end.",
  "session.completed": "The end: with a result.",
  "session.denied": "The end: policy did not allow a step.",
  "session.failed": "The end: with an error.",
  "session.canceled": "The end: canceled.",
  "session.timed_out": "The end: the time limit was reached. No code writes it yet.",
};

/** What each event of a tenant's own ledger says. */
const tenantMeanings: Readonly<Record<TenantEventType, string>> = {
  "tenant.created": "The tenant exists. Always the first event, and nowhere else.",
  "tenant.updated": "It is set to this from now on, as a whole.",
  "tenant.suspended": "Nothing starts in it, and what runs pauses before its next effect.",
  "tenant.resumed": "The suspension is over.",
  "api_key.created": "An API key exists. Its secret was in one answer and stands nowhere.",
  "api_key.revoked": "The key is no key any more, and what was started with it ends.",
  "change.denied": "Policy did not allow a change, so it was not made.",
  "access.refused": "The door refused so many requests of one kind within a window: a flood is a line, not a million.",
  "sessions.stop_requested": "Somebody ordered a stop. Recorded before anything of it is done.",
  "sessions.stopped": "What the stop came to: how many have ended, and of how many that cannot be said.",
  "subject.erasure_requested":
    "Somebody ordered a person's texts to be erased. Recorded before anything of it is done.",
  "subject.erased": "The keys of the person's texts are destroyed: nobody reads them any more.",
  "retention.applied": "The time of these sessions was over: their events but the last one are gone, and their texts.",
};

const header = ["member", "type", "required", "meaning"];

/** The events of a session's ledger and of a tenant's: what they share, and the data of each type. */
export function eventsPage(): string {
  return page(
    "Events",
    "`packages/contracts/src/audit.ts`",
    [
      "A session's ledger is a list of CloudEvents 1.0 in structured mode. `sequence` counts from 1 without a gap. `hash` is the",
      "SHA-256 over the RFC 8785 canonical JSON of the event without `hash`; `prevhash` is the hash of the event before, 64 zeros",
      "for the first. `id` is `evt_` and the SHA-256, in hex, over tenant, session id and `eventkey`, each preceded by its length",
      "in bytes and a colon. No event holds a prompt, a completion or a token: texts stand as digests (`sha256:` and 64 hex digits).",
    ].join("\n"),
    "Read them at `GET /v1/sessions/{id}/events`; check an export with `scripts/soma-verify.ts`.",
    "## What all events have",
    fields(AuditEvent),
    ...sections(eventData, meanings),
    "## A tenant's own ledger",
    [
      "A tenant has a stream of its own, read at `GET /v1/tenants/{tenant}/events`: chained, exported and checked in the same way,",
      "with `subject` `tenant:<tenant>` and `source` `/tenants/<tenant>`. Kafka gets both kinds on one topic; the key is `subject`.",
    ].join("\n"),
    fields(TenantEvent),
    ...sections(tenantEventData, tenantMeanings),
    "## In the stream only",
    [
      "With `Accept: text/event-stream` the same route also sends `event: delta` while a text is being made: `{step, offset, text}`,",
      "`offset` in UTF-16 code units of the step's text. A delta has no `id`, is not in the ledger and comes only from the process",
      "that also runs the step; who misses one reads the text of the result.",
    ].join("\n"),
  );
}

function sections(schemas: Readonly<Record<string, unknown>>, said: Readonly<Record<string, string>>): string[] {
  return Object.entries(schemas).flatMap(([type, schema]) => [`## ${type}`, said[type] ?? "", dataOf(schema)]);
}

function dataOf(schema: unknown): string {
  return fieldsOf(schema).length === 0 ? "`data` is empty." : fields(schema);
}

function fields(schema: unknown): string {
  return table(
    header,
    fieldsOf(schema).map(({ name, schema: member, required }) => [
      code(name),
      name === "type" ? "one of the types below" : describeType(member),
      required ? "yes" : "no",
      descriptionOf(member),
    ]),
  );
}
