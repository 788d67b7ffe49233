/**
 * Checks the exported ledger of one session, or of one tenant, with nothing but Node: no package, and no code of the
 * system that wrote it.
 *
 *   node scripts/soma-verify.ts [--json] [--head sha256:<hex>] FILE      (- reads standard input)
 *
 * FILE holds CloudEvents as NDJSON (one event a line, read as it comes), as a JSON array, or as {"events": […],
 * "contents": {…}}, where contents maps "sha256:<hex>" to the text that it stands for. Exit code: 0 everything holds, 1 a
 * violation was found, 2 the file cannot be read. A tail that was cut off leaves a whole chain: give the last hash that
 * you know as --head. The rules, and a second program that follows them: docs/reference/ledger-format.md.
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";

const checks = {
  shape: "each event has the attributes of the format and no others",
  session: "all events are of one stream, a session's or a tenant's, which begins with its creation",
  sequence: "sequence counts 1, 2, 3 without gap or disorder",
  hash: "hash is the SHA-256 of the event's canonical JSON (RFC 8785) without hash",
  chain: "prevhash is the hash of the event before (64 zeros for the first)",
  id: "id is evt_ and the SHA-256 of tenant, session and eventkey, each after its length and a colon; none twice",
  permit:
    "each effect was allowed before: same effect, action and decision, not expired, not denied since, no approval open",
  intent: "each outcome of an effect follows its intent",
  once: "no decision serves two intents; an effect has one outcome at most and no intent after it",
  end: "nothing follows the session's end",
  content: "contents have the digests that events name",
} as const;
type Check = keyof typeof checks;
type Json = Readonly<Record<string, unknown>>;
interface Finding {
  readonly seq: number;
  readonly check: Check;
  readonly what: string;
}

const endings = ["session.completed", "session.denied", "session.failed", "session.canceled", "session.timed_out"];
const outcome = /^(?:effect\.(?:completed|failed)|memory\.(?:recalled|remembered))$/;
/** The event types of the format, by kind of ledger; the first of each begins it. */
export const eventTypes: Readonly<Record<"session" | "tenant", readonly string[]>> = {
  session: (
    "session.created policy.decided token.issued effect.intended effect.completed effect.failed dependency.unavailable " +
    "dependency.recovered session.paused session.resumed session.cancel_requested memory.recalled memory.remembered " +
    "memory.skipped action.decided action.refused message.received turn.started turn.ended approval.requested " +
    "approval.granted approval.denied approval.expired approval.voided budget.exhausted budget.extended"
  )
    .split(" ")
    .concat(endings),
  tenant: (
    "tenant.created tenant.updated tenant.suspended tenant.resumed api_key.created api_key.revoked change.denied " +
    "access.refused sessions.stop_requested sessions.stopped subject.erasure_requested subject.erased retention.applied"
  ).split(" "),
};
const digest = /^sha256:[0-9a-f]{64}$/;
// One width only, so that two of them compare as texts.
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const some = /./s;
const texts: Readonly<Record<string, RegExp>> = {
  specversion: /^1\.0$/,
  id: /^evt_[0-9a-f]{64}$/,
  eventkey: /^[!-~]{1,256}$/,
  ...Object.fromEntries(["source", "type", "subject", "tenant", "user", "agent", "authn"].map((name) => [name, some])),
  time: instant,
  datacontenttype: /^application\/json$/,
  prevhash: digest,
  hash: digest,
};

/** Verifies the text of a file. Throws when it holds no events at all. */
export function verify(input: string, head?: string) {
  return verifyLines(input.split("\n"), head);
}

function verifyLines(lines: Iterable<string>, head?: string) {
  const { events, contents, more } = readExport(lines);
  const session = new Session();
  for (const event of events) session.add(event);
  if (session.last === undefined) throw new Error("the file holds no events");
  return session.conclude(contents, head, more ? ["the export says that more events follow"] : []);
}

interface Decision {
  readonly id: string;
  readonly action: string;
  readonly allowed: boolean;
  readonly needsApproval: boolean;
  readonly expiresAt: string;
}
/** What is known of a session after the events so far. */
class Session {
  last: Json | undefined;
  readonly #findings: Finding[] = [];
  #count = 0;
  #at = 0;
  #decisionCount = 0;
  #ended: string | undefined;
  readonly #ids = new Set<string>();
  /** By effect key, in order. */
  readonly #decisions = new Map<string, Decision[]>();
  readonly #intended = new Map<string, number>();
  readonly #used = new Set<string>();
  readonly #settled = new Set<string>();
  readonly #named = new Set<string>();

  add(event: Json): void {
    const before = this.last;
    const due = this.#at + 1;
    const sequence = event["sequence"];
    this.#count += 1;
    this.#at = typeof sequence === "number" && Number.isSafeInteger(sequence) ? sequence : due;
    const report = this.#report.bind(this);
    const type = text(event, "type");
    const data = isObject(event["data"]) ? event["data"] : {};
    checkShape(event, report);

    const [tenant, session] = [text(event, "tenant"), text(event, "subject")];
    if (before !== undefined && (tenant !== text(before, "tenant") || session !== text(before, "subject"))) {
      report("session", "the event belongs to another tenant or session");
    }
    const ofTenant = session === `tenant:${tenant}`;
    if (text(event, "source") !== `/tenants/${tenant}${ofTenant ? "" : `/sessions/${session}`}`)
      report("session", "source names another stream");
    const types = eventTypes[ofTenant ? "tenant" : "session"];
    if (!types.includes(type)) report("shape", "type is not one of the format");
    if ((type === types[0]) !== (before === undefined)) report("session", `${type} cannot stand here`);

    if (sequence !== due) report("sequence", `${String(sequence)} stands where ${due} is due`);
    if (hashOf(event) !== text(event, "hash")) report("hash", "the event was changed");
    const previous = before === undefined ? `sha256:${"0".repeat(64)}` : text(before, "hash");
    if (text(event, "prevhash") !== previous) report("chain", "prevhash is not the hash of the event before");

    const id = text(event, "id");
    const parts = [tenant, session, text(event, "eventkey")].map((part) => `${Buffer.byteLength(part)}:${part}`);
    if (id !== `evt_${sha256(parts.join("")).slice(7)}`)
      report("id", "id does not come from tenant, session and eventkey");
    if (this.#ids.has(id)) report("id", `${id} stands twice`);
    this.#ids.add(id);

    this.#follow(type, data, text(event, "time"));
    if (this.#ended !== undefined) report("end", `${type} follows ${this.#ended}`);
    if (endings.includes(type)) this.#ended = type;
    for (const field of ["prompt_digest", "metadata_digest", "result_digest"]) this.#named.add(text(data, field));
    this.last = event;
  }

  /** Decisions, intents and outcomes: what was allowed, and whether that and no more was done. */
  #follow(type: string, data: Json, time: string): void {
    const effect = text(data, "effect_key");
    if (type === "policy.decided") {
      this.#decisionCount += 1;
      const decisions = this.#decisions.get(effect) ?? [];
      this.#decisions.set(effect, decisions);
      decisions.push({
        id: text(data, "decision_id"),
        action: text(data, "action_digest"),
        allowed: data["allowed"] === true,
        needsApproval: needsApproval(data["obligations"]),
        expiresAt: text(data, "expires_at"),
      });
    }
    if (type === "effect.intended") {
      const reason = whyNotAllowed(data, time, this.#decisions.get(effect) ?? []);
      if (reason !== undefined) this.#report("permit", reason);
      const decision = text(data, "decision_id");
      if (this.#used.has(decision)) this.#report("once", "the decision was used by an intent before");
      this.#used.add(decision);
      if (this.#settled.has(effect)) this.#report("once", "the effect has its outcome already");
      this.#intended.set(effect, this.#at);
    }
    if (outcome.test(type)) {
      if (!this.#intended.has(effect)) this.#report("intent", "the outcome of an effect that was not intended");
      if (this.#settled.has(effect)) this.#report("once", "the effect has its outcome already");
      this.#settled.add(effect);
    }
  }

  conclude(contents: Json, head: string | undefined, notes: string[]) {
    const last = this.last ?? {};
    if (head !== undefined && text(last, "hash") !== head)
      this.#report("chain", "the last hash is not the one given as --head");
    for (const [key, value] of Object.entries(contents)) {
      if (typeof value !== "string" || key === "" || sha256(value) !== key)
        this.#report("content", `the text under ${key} has another digest`);
      else if (!this.#named.has(key)) this.#report("content", `no event names ${key}`);
    }
    const ofTenant = text(last, "subject") === `tenant:${text(last, "tenant")}`;
    if (this.#ended === undefined && !ofTenant) notes.push("the session has not ended in this file");
    for (const [effect, seq] of this.#intended) {
      if (!this.#settled.has(effect)) notes.push(`the effect intended at ${seq} has no outcome in this file`);
    }
    return {
      ok: this.#findings.length === 0,
      tenant: text(last, "tenant"),
      session: text(last, "subject"),
      counts: {
        events: this.#count,
        decisions: this.#decisionCount,
        effects: this.#intended.size,
        contents: Object.keys(contents).length,
      },
      last: { sequence: this.#at, hash: text(last, "hash") },
      ended: this.#ended ?? null,
      checks,
      violations: this.#findings,
      notes,
    };
  }

  #report(check: Check, what: string): void {
    this.#findings.push({ seq: this.#at, check, what });
  }
}

function checkShape(event: Json, report: (check: Check, what: string) => void): void {
  for (const [name, pattern] of Object.entries(texts)) {
    if (!pattern.test(text(event, name))) report("shape", `${name} is missing or malformed`);
  }
  if (!isObject(event["data"])) report("shape", "data is not an object");
  const known = new Set([...Object.keys(texts), "sequence", "data", "traceparent"]);
  for (const name of Object.keys(event)) if (!known.has(name)) report("shape", `${name} is not of the format`);
}

/** Why the decisions so far on the same effect do not allow an intent at its time; undefined when one does. */
function whyNotAllowed(intent: Json, time: string, decisions: readonly Decision[]): string | undefined {
  const [id, action] = [text(intent, "decision_id"), text(intent, "action_digest")];
  if (id === "" || action === "" || text(intent, "effect_key") === "")
    return "the intent does not name its decision, effect and action";
  const index = decisions.findLastIndex((one) => one.id === id);
  const decision = decisions[index];
  if (decision === undefined) return "no decision with this id about this effect comes before the intent";
  if (decision.action !== action) return "the decision was about another action";
  if (decisions.slice(index).some(({ allowed }) => !allowed)) return "the effect was denied";
  if (decision.needsApproval) return "the decision asks for an approval, and the format has no event of one";
  // Written so that a time that cannot be read is not "unexpired".
  if (!(instant.test(decision.expiresAt) && instant.test(time) && decision.expiresAt >= time))
    return "the decision had expired";
  return undefined;
}

function needsApproval(obligations: unknown): boolean {
  return (
    Array.isArray(obligations) &&
    obligations.some((one: unknown) => isObject(one) && one["kind"] === "require_approval")
  );
}

/** Nothing for an event that has no canonical form: no hash is its hash. */
function hashOf(event: Json): string | undefined {
  try {
    return sha256(canonicalJson({ ...event, hash: undefined }));
  } catch {
    return undefined;
  }
}

/**
 * RFC 8785: members sorted by UTF-16 code units, no white space, numbers and strings as ECMAScript writes them. Throws
 * for a number out of range and for half a surrogate pair.
 */
function canonicalJson(value: unknown): string {
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError("a number out of range");
  if (typeof value === "string" && !value.isWellFormed()) throw new RangeError("half a surrogate pair");
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  return `{${names
    .toSorted()
    .map((name) => `${canonicalJson(name)}:${canonicalJson(value[name])}`)
    .join(",")}}`;
}

interface Export {
  readonly events: Iterable<Json>;
  readonly contents: Json;
  readonly more: boolean;
}

/** Lines of events are read one by one, however many there are; a document as a whole. */
function readExport(lines: Iterable<string>): Export {
  const iterator = lines[Symbol.iterator]();
  const next = (): string | undefined => {
    for (;;) {
      const { done, value } = iterator.next();
      if (done === true) return undefined;
      if (!/^[ \t\r]*$/.test(value)) return value;
    }
  };
  const first = next();
  if (first === undefined) throw new Error("the file holds no events");
  const event = parseEventLine(first);
  if (event !== undefined) return { events: eventLines(event, next), contents: {}, more: false };
  const read = [first];
  for (let line = next(); line !== undefined; line = next()) read.push(line);
  const parsed: unknown = JSON.parse(read.join("\n"));
  const single = isObject(parsed) ? parsed : undefined;
  const { events: list = single === undefined ? parsed : [single], contents = {}, next_after } = single ?? {};
  if (!Array.isArray(list)) throw new Error("the file holds no events");
  if (!isObject(contents)) throw new Error("contents is not an object");
  return { events: list.map(asEvent), contents, more: next_after !== undefined };
}

/** A line that is an event by itself. */
function parseEventLine(line: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) && value["events"] === undefined ? value : undefined;
  } catch {
    return undefined;
  }
}

function* eventLines(first: Json, next: () => string | undefined): Generator<Json> {
  yield first;
  for (let line = next(); line !== undefined; line = next()) yield asEvent(JSON.parse(line));
}

function asEvent(value: unknown): Json {
  if (!isObject(value)) throw new Error("an event is not a JSON object");
  return value;
}

/** The lines of a file, without its ever being in memory as a whole. Throws for bytes that are no UTF-8. */
function* readLines(file: string | 0): Generator<string> {
  const descriptor = file === 0 ? 0 : openSync(file, "r");
  // A byte order mark stays, and is no JSON.
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const chunk = Buffer.alloc(1 << 20);
  let rest: Buffer = Buffer.alloc(0);
  try {
    for (let size = readSync(descriptor, chunk); size > 0; size = readSync(descriptor, chunk)) {
      const bytes = Buffer.concat([rest, chunk.subarray(0, size)]);
      let begin = 0;
      for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, begin)) {
        yield decoder.decode(bytes.subarray(begin, end));
        begin = end + 1;
      }
      rest = bytes.subarray(begin);
    }
    yield decoder.decode(rest);
  } finally {
    if (file !== 0) closeSync(descriptor);
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(record: Json, name: string): string {
  const value = record[name];
  return typeof value === "string" ? value : "";
}

/** Empty for half a surrogate pair, which has no bytes in UTF-8. */
function sha256(content: string): string {
  if (!content.isWellFormed()) return "";
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

function describeResult(result: ReturnType<typeof verify>): string {
  const { tenant, session, counts, last, ended, violations, notes } = result;
  const lines = [`session ${session} of tenant ${tenant}`];
  lines.push(
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(", "),
  );
  lines.push(`last: ${last.sequence} ${last.hash}${ended === null ? "" : ` (${ended})`}`, "");
  for (const [check, meaning] of Object.entries(checks)) {
    const found = violations.filter((violation) => violation.check === check);
    lines.push(`${found.length === 0 ? "ok       " : "VIOLATED "} ${check.padEnd(8)} ${meaning}`);
    for (const { seq, what } of found) lines.push(`            at ${seq}: ${what}`);
  }
  for (const note of notes) lines.push(`note: ${note}`);
  lines.push("", violations.length === 0 ? "Everything holds." : `${violations.length} violations.`, "");
  // What the file says goes to a terminal: nothing in it may speak to the terminal.
  return lines.join("\n").replaceAll(/[^ -~\n]/g, "?");
}

/** Runs the command; returns its exit code. */
function main(args: readonly string[]): number {
  const json = args.includes("--json");
  const headAt = args.indexOf("--head");
  const head = headAt === -1 ? undefined : args[headAt + 1];
  const files = args.filter(
    (arg, index) => arg !== "--json" && (headAt === -1 || (index !== headAt && index !== headAt + 1)),
  );
  const [file] = files;
  try {
    if (file === undefined || files.length > 1) throw new Error("usage: soma-verify [--json] [--head HASH] FILE|-");
    const result = verifyLines(readLines(file === "-" ? 0 : file), head);
    process.stdout.write(json ? `${JSON.stringify(result, undefined, 2)}\n` : describeResult(result));
    return result.ok ? 0 : 1;
  } catch (error) {
    process.stderr.write(`soma-verify: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
