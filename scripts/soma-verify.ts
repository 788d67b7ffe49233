/**
 * Checks the exported ledger of one session, with nothing but Node: no package, and no code of the system that wrote it.
 *
 *   node scripts/soma-verify.ts [--json] [--head sha256:<hex>] FILE      (- reads standard input)
 *
 * FILE holds CloudEvents as NDJSON (one event a line), as a JSON array, or as {"events": […], "contents": {…}}, where
 * contents maps "sha256:<hex>" to the text that it stands for. Exit code: 0 everything holds, 1 a violation was found,
 * 2 the file cannot be read. A tail that was cut off leaves a whole chain: give the last hash that you know as --head.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const checks = {
  shape: "each event has the attributes of the format and no others",
  session: "all events are of one tenant and one session, which begins with session.created",
  sequence: "sequence counts 1, 2, 3 without gap or disorder",
  hash: "hash is the SHA-256 of the event's canonical JSON (RFC 8785) without hash",
  chain: "prevhash is the hash of the event before (64 zeros for the first)",
  id: "id is evt_ and the SHA-256 of tenant, session and eventkey, each after its length and a colon; none twice",
  permit: "each effect was allowed before: same effect, action and decision, not expired, not denied since",
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
/** The event types of the format. */
export const eventTypes: readonly string[] = (
  "session.created policy.decided token.issued effect.intended effect.completed effect.failed " +
  "dependency.unavailable dependency.recovered session.cancel_requested"
)
  .split(" ")
  .concat(endings);
const digest = /^sha256:[0-9a-f]{64}$/;
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const some = /./;
const texts: Readonly<Record<string, RegExp>> = {
  specversion: /^1\.0$/,
  id: /^evt_[0-9a-f]{64}$/,
  eventkey: /^[!-~]{1,256}$/,
  source: some,
  type: some,
  subject: some,
  time: instant,
  datacontenttype: /^application\/json$/,
  tenant: some,
  user: some,
  agent: some,
  authn: some,
  prevhash: digest,
  hash: digest,
};

/** Verifies what a file holds. Throws when it holds no events at all. */
export function verify(input: string, head?: string) {
  const { events, contents, more } = readExport(input);
  const findings: Finding[] = [];
  const notes: string[] = more ? ["the export says that more events follow"] : [];
  let at = 0;
  const report = (check: Check, what: string): void => void findings.push({ seq: at, check, what });

  const ids = new Set<string>();
  const decisions: Json[] = [];
  const intended = new Map<string, number>();
  const used = new Set<string>();
  const settled = new Set<string>();
  const named = new Set<string>();
  let before: Json | undefined;
  let ended: string | undefined;

  for (const event of events) {
    const count = event["sequence"];
    at = typeof count === "number" ? count : at + 1;
    const type = text(event, "type");
    const data = isObject(event["data"]) ? event["data"] : {};
    const effect = text(data, "effect_key");
    checkShape(event, report);

    const [tenant, session] = [text(event, "tenant"), text(event, "subject")];
    if (before !== undefined && (tenant !== text(before, "tenant") || session !== text(before, "subject"))) {
      report("session", "the event belongs to another tenant or session");
    }
    if (text(event, "source") !== `/tenants/${tenant}/sessions/${session}`)
      report("session", "source names another session");
    if ((type === "session.created") !== (before === undefined)) report("session", `${type} cannot stand here`);

    const due = before === undefined ? 1 : Number(before["sequence"]) + 1;
    if (count !== due) report("sequence", `${String(count)} stands where ${due} is due`);
    if (sha256(canonicalJson({ ...event, hash: undefined })) !== event["hash"]) report("hash", "the event was changed");
    const previous = before === undefined ? `sha256:${"0".repeat(64)}` : before["hash"];
    if (event["prevhash"] !== previous) report("chain", "prevhash is not the hash of the event before");

    const id = text(event, "id");
    const parts = [tenant, session, text(event, "eventkey")].map((part) => `${Buffer.byteLength(part)}:${part}`);
    if (id !== `evt_${sha256(parts.join("")).slice(7)}`)
      report("id", "id does not come from tenant, session and eventkey");
    if (ids.has(id)) report("id", `${id} stands twice`);
    ids.add(id);

    if (type === "policy.decided") decisions.push(data);
    if (type === "effect.intended") {
      const reason = whyNotAllowed(data, text(event, "time"), decisions);
      if (reason !== undefined) report("permit", reason);
      const decision = text(data, "decision_id");
      if (used.has(decision)) report("once", "the decision was used by an intent before");
      used.add(decision);
      if (settled.has(effect)) report("once", "the effect has its outcome already");
      intended.set(effect, at);
    }
    if (type === "effect.completed" || type === "effect.failed") {
      if (!intended.has(effect)) report("intent", "the outcome of an effect that was not intended");
      if (settled.has(effect)) report("once", "the effect has its outcome already");
      settled.add(effect);
    }

    if (ended !== undefined) report("end", `${type} follows ${ended}`);
    if (endings.includes(type)) ended = type;
    for (const field of ["prompt_digest", "metadata_digest", "result_digest"]) named.add(text(data, field));
    before = event;
  }

  if (head !== undefined && before?.["hash"] !== head) report("chain", "the last hash is not the one given as --head");
  for (const [key, value] of Object.entries(contents)) {
    if (typeof value !== "string" || sha256(value) !== key)
      report("content", `the text under ${key} has another digest`);
    else if (!named.has(key)) report("content", `no event names ${key}`);
  }
  if (ended === undefined) notes.push("the session has not ended in this file");
  for (const [effect, seq] of intended) {
    if (!settled.has(effect)) notes.push(`the effect intended at ${seq} has no outcome in this file`);
  }
  return {
    ok: findings.length === 0,
    tenant: text(before ?? {}, "tenant"),
    session: text(before ?? {}, "subject"),
    counts: {
      events: events.length,
      decisions: decisions.length,
      effects: intended.size,
      contents: Object.keys(contents).length,
    },
    last: { sequence: at, hash: text(before ?? {}, "hash") },
    ended: ended ?? null,
    checks,
    violations: findings,
    notes,
  };
}

function checkShape(event: Json, report: (check: Check, what: string) => void): void {
  for (const [name, pattern] of Object.entries(texts)) {
    if (!pattern.test(text(event, name))) report("shape", `${name} is missing or malformed`);
  }
  if (!eventTypes.includes(text(event, "type"))) report("shape", "type is not one of the format");
  if (!isObject(event["data"])) report("shape", "data is not an object");
  const known = new Set([...Object.keys(texts), "sequence", "data", "traceparent"]);
  for (const name of Object.keys(event)) if (!known.has(name)) report("shape", `${name} is not of the format`);
}

/** Why the decisions so far do not allow an intent at its time; undefined when one does. */
function whyNotAllowed(intent: Json, time: string, decisions: readonly Json[]): string | undefined {
  const about = decisions.filter((decision) => decision["effect_key"] === intent["effect_key"]);
  const index = about.findLastIndex((decision) => decision["decision_id"] === intent["decision_id"]);
  const decision = about[index];
  if (decision === undefined) return "no decision with this id about this effect comes before the intent";
  if (decision["action_digest"] !== intent["action_digest"]) return "the decision was about another action";
  if (about.slice(index).some(({ allowed }) => allowed !== true)) return "the effect was denied";
  // Written so that a time that cannot be read is not "unexpired".
  if (!(Date.parse(text(decision, "expires_at")) >= Date.parse(time))) return "the decision had expired";
  return undefined;
}

/** RFC 8785: members sorted by UTF-16 code units, no white space, numbers and strings as ECMAScript writes them. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  return `{${names
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name])}`)
    .join(",")}}`;
}

function readExport(input: string): { events: Json[]; contents: Json; more: boolean } {
  const parsed = parseWholeOrLines(input);
  const single = isObject(parsed) ? parsed : undefined;
  const list = single === undefined ? parsed : (single["events"] ?? [single]);
  if (!Array.isArray(list) || list.length === 0) throw new Error("the file holds no events");
  const events: Json[] = list.map((event: unknown) => {
    if (!isObject(event)) throw new Error("an event is not a JSON object");
    return event;
  });
  const contents = single?.["contents"] ?? {};
  if (!isObject(contents)) throw new Error("contents is not an object");
  return { events, contents, more: single?.["next_after"] !== undefined };
}

function parseWholeOrLines(input: string): unknown {
  try {
    return JSON.parse(input);
  } catch {
    const lines = input.split("\n").filter((line) => line.trim() !== "");
    return lines.map((line): unknown => JSON.parse(line));
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(record: Json, name: string): string {
  const value = record[name];
  return typeof value === "string" ? value : "";
}

function sha256(content: string): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

function describeResult({
  tenant,
  session,
  counts,
  last,
  ended,
  violations,
  notes,
}: ReturnType<typeof verify>): string {
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
    const result = verify(readFileSync(file === "-" ? 0 : file, "utf8"), head);
    process.stdout.write(json ? `${JSON.stringify(result, undefined, 2)}\n` : describeResult(result));
    return result.ok ? 0 : 1;
  } catch (error) {
    process.stderr.write(`soma-verify: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
