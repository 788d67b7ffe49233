import type { AuditEvent, NewEvent } from "@soma/contracts/audit";
import type { Digest } from "@soma/contracts/ids";
import { isTenantSubject, type LedgerEvent, type TenantNewEvent } from "@soma/contracts/tenant-events";
import { canonicalJson, digestOfParts, sha256 } from "@soma/kit/digest";
import { assertAuditEvent, typedEvent } from "./typed-event.ts";
import { assertTenantEvent } from "./typed-tenant-event.ts";

/** Where an event stands in its stream; what the ledger adds to a `NewEvent`. */
export interface EventPlace {
  readonly sequence: number;
  readonly prevhash: Digest;
  /** RFC 3339, UTC. */
  readonly time: string;
}

/** An event and its recorded bytes. */
export interface SealedEvent<Event extends LedgerEvent = LedgerEvent> {
  readonly event: Event;
  readonly json: string;
}

/** The id of the event that a stream records under a key: the same for every attempt to record it. */
export function eventId(tenant: string, subject: string, key: string): string {
  return `evt_${digestOfParts(tenant, subject, key).slice("sha256:".length)}`;
}

/** SHA-256 over the canonical JSON of an event without `hash`. */
export function eventHash(event: LedgerEvent | Omit<AuditEvent, "hash">): Digest {
  return sha256(canonicalJson({ ...event, hash: undefined }));
}

/**
 * Gives a new event its place in the chain. Its `data` is judged by the projection, which knows the type.
 *
 * @throws TypeError when the event does not fit the contract: the writer is wrong, not the caller's data
 */
export function sealEvent(input: NewEvent, place: EventPlace): SealedEvent<AuditEvent> {
  const source = `/tenants/${input.tenant}/sessions/${input.session_id}`;
  const { event, json } = sealEnvelope(input, input.session_id, source, place);
  assertAuditEvent(event);
  return { event, json };
}

/** The envelope that the events of both kinds of ledger have, hashed; whether it is one of the contract is still to be seen. */
export function sealEnvelope(
  input: NewEvent | TenantNewEvent,
  subject: string,
  source: string,
  place: EventPlace,
): { event: unknown; json: string } {
  // Through JSON once, so that what is checked, hashed and stored is one and the same.
  const unsealed: unknown = JSON.parse(
    canonicalOrTypeError({
      specversion: "1.0",
      id: eventId(input.tenant, subject, input.key),
      eventkey: input.key,
      source,
      type: input.type,
      subject,
      time: place.time,
      datacontenttype: "application/json",
      tenant: input.tenant,
      user: input.user,
      agent: input.agent,
      authn: input.authn,
      traceparent: "traceparent" in input ? input.traceparent : undefined,
      sequence: place.sequence,
      prevhash: place.prevhash,
      data: input.data,
    }),
  );
  if (typeof unsealed !== "object") throw new TypeError("event is not an object");
  const event: unknown = { ...unsealed, hash: sha256(canonicalJson(unsealed)) };
  return { event, json: canonicalJson(event) };
}

/**
 * True when a writer says again what is recorded: everything is equal but place, time and trace, which belong to the
 * attempt and not to what happened; so does the token that a start was sent with, of which the first one counts.
 */
export function saysTheSame(recorded: AuditEvent, input: NewEvent): boolean {
  const { traceparent: _ofThisAttempt, ...said } = input;
  const again = sealEvent(
    withTokenOf(recorded, recorded.traceparent === undefined ? said : { ...said, traceparent: recorded.traceparent }),
    recorded,
  );
  return again.event.hash === recorded.hash;
}

function withTokenOf(recorded: AuditEvent, said: NewEvent): NewEvent {
  if (said.type !== "session.created") return said;
  const { token_jti: _jti, token_origins: _origins, ...data } = said.data;
  const first = typedEvent(recorded);
  if (first.type !== "session.created") return said;
  const { token_jti, token_origins } = first.data;
  return {
    ...said,
    data: { ...data, ...(token_jti !== undefined && { token_jti }), ...(token_origins && { token_origins }) },
  };
}

/** Reads the recorded bytes of a session's event. @throws TypeError when they are not one of the contract */
export function parseEvent(json: string): AuditEvent {
  const event: unknown = JSON.parse(json);
  assertAuditEvent(event);
  return event;
}

/** Reads the recorded bytes of an event of either kind. @throws TypeError when they are not one of the contract */
export function parseLedgerEvent(json: string): LedgerEvent {
  const event: unknown = JSON.parse(json);
  if (isOfTenant(event)) assertTenantEvent(event);
  else assertAuditEvent(event);
  return event;
}

function isOfTenant(event: unknown): boolean {
  const subject: unknown = typeof event === "object" && event !== null ? Reflect.get(event, "subject") : undefined;
  return typeof subject === "string" && isTenantSubject(subject);
}

function canonicalOrTypeError(value: unknown): string {
  try {
    return canonicalJson(value);
  } catch (error) {
    throw new TypeError("event has no canonical JSON form (RFC 8785, section 3.2)", { cause: error });
  }
}
