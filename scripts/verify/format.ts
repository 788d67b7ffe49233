/** What the format's document, docs/reference/ledger-format.md, says of events; read and written again, not imported. */

export const checks = {
  shape: "each event has the attributes of the format and no others",
  session: "all events are of one stream, a session's or a tenant's, which begins with its creation",
  sequence: "sequence counts 1, 2, 3 without gap or disorder",
  hash: "hash is the SHA-256 of the event's canonical JSON (RFC 8785) without hash",
  chain: "prevhash is the hash of the event before (64 zeros for the first)",
  id: "id is evt_ and the SHA-256 of tenant, session and eventkey, each after its length and a colon; none twice",
  permit: "each effect was allowed before: same effect, action and decision, not expired, not denied since",
  approval: "each approval is asked for once, given in time by others for that very action, and used for one effect",
  intent: "each outcome of an effect follows its intent",
  once: "no decision serves two intents; an effect has one outcome at most and no intent after it",
  action: "what somebody did to the session was decided before: same person, action and arguments; done once",
  budget: "what was spent and set aside stays within the session's budget",
  state: "each event is one that the session's state allows",
  end: "nothing follows the session's end",
  content: "contents have the digests that events name",
} as const;
export type Check = keyof typeof checks;
export type Json = Readonly<Record<string, unknown>>;

/** The event at hand, as far as a rule needs it. */
export interface Place {
  readonly type: string;
  readonly data: Json;
  readonly time: string;
  readonly user: string;
  readonly report: (check: Check, what: string) => void;
  /** What the event needs does not stand before it: a violation, but for a ledger whose beginning was cut. */
  readonly missing: (check: Check, what: string) => void;
}

export const endings = words("session.completed session.denied session.failed session.canceled session.timed_out");
export const outcomes = words("effect.completed effect.failed memory.recalled memory.remembered");
/** The event types of the format, by kind of ledger. */
export const eventTypes = {
  session: words(
    `session.created policy.decided token.issued effect.intended memory.skipped dependency.unavailable
     dependency.recovered session.paused session.resumed session.cancel_requested action.decided action.refused
     message.received turn.started turn.ended approval.requested approval.granted approval.denied approval.expired
     approval.voided budget.exhausted budget.extended ${[...outcomes, ...endings].join(" ")}`,
  ),
  tenant: words(
    `tenant.created tenant.updated tenant.suspended tenant.resumed api_key.created api_key.revoked change.denied
     access.refused sessions.stop_requested sessions.stopped subject.erasure_requested subject.erased retention.applied`,
  ),
} as const;

/** Members of `data` that name a text which an export may bring. */
export const namedTexts = words("prompt_digest metadata_digest result_digest message_digest value_digest base_hash");

export const digest = /^sha256:[0-9a-f]{64}$/;
// One width only, so that two of them compare as texts.
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const some = /./s;
const envelope: Readonly<Record<string, RegExp>> = {
  specversion: /^1\.0$/,
  id: /^evt_[0-9a-f]{64}$/,
  eventkey: /^[!-~]{1,256}$/,
  ...Object.fromEntries(["source", "type", "subject", "tenant", "user", "agent", "authn"].map((name) => [name, some])),
  time: instant,
  datacontenttype: /^application\/json$/,
  prevhash: digest,
  hash: digest,
};
const members = new Set([...Object.keys(envelope), "sequence", "data", "traceparent"]);

export function checkShape(event: Json, report: Place["report"]): void {
  for (const [name, pattern] of Object.entries(envelope)) {
    if (!pattern.test(text(event, name))) report("shape", `${name} is missing or malformed`);
  }
  if (!isObject(event["data"])) report("shape", "data is not an object");
  for (const name of Object.keys(event)) if (!members.has(name)) report("shape", `${name} is not of the format`);
}

export function isInstant(time: string): boolean {
  return instant.test(time);
}

/** Whether a time is before another. False when either is none: what cannot be read is not in time. */
export function isBefore(time: string, limit: string): boolean {
  return isInstant(time) && isInstant(limit) && time < limit;
}

/** Milliseconds since 1970, or nothing for a text that is no instant of the calendar's years 1 to 9999. */
export function momentOf(time: string): number | undefined {
  const moment = isInstant(time) && !time.startsWith("0000") ? Date.parse(time) : Number.NaN;
  return !Number.isNaN(moment) && new Date(moment).toISOString() === time ? moment : undefined;
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function objectOf(record: Json, name: string): Json {
  const value = record[name];
  return isObject(value) ? value : {};
}

/** Anything that is no text counts as the empty text. */
export function text(record: Json, name: string): string {
  const value = record[name];
  return typeof value === "string" ? value : "";
}

/** A whole number from 0 to 2^53 - 1; nothing for anything else. */
export function count(record: Json, name: string): number | undefined {
  const value = record[name];
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function words(list: string): readonly string[] {
  return list.split(/\s+/);
}
