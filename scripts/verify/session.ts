import { Actions } from "./actions.ts";
import { Approvals } from "./approvals.ts";
import { Budget } from "./budgets.ts";
import { hashOf, partsDigest, sha256 } from "./digests.ts";
import { Effects } from "./effects.ts";
import {
  checks,
  checkShape,
  endings,
  eventTypes,
  namedTexts,
  objectOf,
  text,
  type Check,
  type Json,
} from "./format.ts";
import type { Gap } from "./read-export.ts";
import { States } from "./states.ts";

interface Finding {
  readonly seq: number;
  readonly check: Check;
  readonly what: string;
}

/** What is known of a ledger after the events so far. */
export class Session {
  last: Json | undefined;
  readonly #gap: Gap | undefined;
  readonly #findings: Finding[] = [];
  readonly #notes: string[] = [];
  #count = 0;
  #at: number;
  #ended: string | undefined;
  readonly #ids = new Set<string>();
  readonly #named = new Set<string>();
  readonly #effects = new Effects();
  readonly #approvals = new Approvals();
  readonly #actions = new Actions();
  readonly #budget = new Budget();
  readonly #states = new States();

  constructor(gap: Gap | undefined) {
    this.#gap = gap;
    this.#at = gap?.to ?? 0;
    if (gap !== undefined)
      this.#notes.push(`events ${gap.from} to ${gap.to} were cut: state and budget are not judged`);
  }

  add(event: Json): void {
    const due = this.#at + 1;
    const sequence = event["sequence"];
    this.#count += 1;
    this.#at = typeof sequence === "number" && Number.isSafeInteger(sequence) ? sequence : due;
    checkShape(event, this.#report);
    this.#checkStream(event);
    if (sequence !== due) this.#report("sequence", `${String(sequence)} stands where ${due} is due`);
    this.#checkChain(event);
    this.#follow(event);
    this.last = event;
  }

  #checkStream(event: Json): void {
    const before = this.last;
    const [tenant, session, type] = [text(event, "tenant"), text(event, "subject"), text(event, "type")];
    if (before !== undefined && (tenant !== text(before, "tenant") || session !== text(before, "subject")))
      this.#report("session", "the event belongs to another tenant or session");
    const kind = session === `tenant:${tenant}` ? "tenant" : "session";
    if (text(event, "source") !== `/tenants/${tenant}${kind === "tenant" ? "" : `/sessions/${session}`}`)
      this.#report("session", "source names another stream");
    if (!eventTypes[kind].includes(type)) this.#report("shape", "type is not one of the format");
    const isFirst = before === undefined && this.#gap === undefined;
    if ((type === `${kind}.created`) !== isFirst) this.#report("session", `${type} cannot stand here`);
  }

  #checkChain(event: Json): void {
    if (hashOf(event) !== text(event, "hash")) this.#report("hash", "the event was changed");
    const first = this.#gap?.hash ?? `sha256:${"0".repeat(64)}`;
    if (text(event, "prevhash") !== (this.last === undefined ? first : text(this.last, "hash")))
      this.#report("chain", "prevhash is not the hash of the event before");
    const id = text(event, "id");
    const due = partsDigest(text(event, "tenant"), text(event, "subject"), text(event, "eventkey"));
    if (id !== `evt_${due.slice(7)}`) this.#report("id", "id does not come from tenant, session and eventkey");
    if (this.#ids.has(id)) this.#report("id", `${id} stands twice`);
    this.#ids.add(id);
  }

  #follow(event: Json): void {
    const data = objectOf(event, "data");
    const type = text(event, "type");
    const [report, missing] = [this.#report, this.#missing];
    const place = { type, data, time: text(event, "time"), user: text(event, "user"), report, missing };
    this.#actions.follow(place);
    this.#approvals.follow(place, (id) => this.#actions.roleOf(id));
    this.#effects.follow(place, this.#at, (asked) => {
      this.#approvals.use(place, asked);
    });
    const ofTenant = text(event, "subject") === `tenant:${text(event, "tenant")}`;
    if (this.#ended !== undefined) this.#report("end", `${type} follows ${this.#ended}`);
    else if (!ofTenant && this.#gap === undefined) {
      this.#budget.follow(place);
      if (eventTypes.session.includes(type)) this.#states.follow(place, () => this.#approvals.isNoneOpen());
    }
    if (endings.includes(type)) this.#ended = type;
    for (const name of namedTexts) this.#named.add(text(data, name));
    this.#named.add(text(objectOf(data, "arguments"), "reason_digest"));
  }

  conclude(contents: Json, head: string | undefined, more: boolean) {
    const last = this.last ?? {};
    const { intended, settled, decisionCount } = this.#effects;
    if (more) this.#notes.push("the export says that more events follow");
    if (head !== undefined && text(last, "hash") !== head)
      this.#report("chain", "the last hash is not the one given as --head");
    for (const [key, value] of Object.entries(contents)) {
      if (typeof value !== "string" || key === "" || sha256(value) !== key)
        this.#report("content", `the text under ${key} has another digest`);
      else if (!this.#named.has(key) && this.#gap === undefined) this.#report("content", `no event names ${key}`);
    }
    const ofTenant = text(last, "subject") === `tenant:${text(last, "tenant")}`;
    if (this.#ended === undefined && !ofTenant) this.#notes.push("the session has not ended in this file");
    for (const [effect, seq] of intended) {
      if (!settled.has(effect)) this.#notes.push(`the effect intended at ${seq} has no outcome in this file`);
    }
    return {
      ok: this.#findings.length === 0,
      tenant: text(last, "tenant"),
      session: text(last, "subject"),
      counts: {
        events: this.#count,
        decisions: decisionCount,
        effects: intended.size,
        contents: Object.keys(contents).length,
      },
      last: { sequence: this.#at, hash: text(last, "hash") },
      ended: this.#ended ?? null,
      checks,
      violations: this.#findings,
      notes: this.#notes,
    };
  }

  readonly #report = (check: Check, what: string): void => {
    this.#findings.push({ seq: this.#at, check, what });
  };

  readonly #missing = (check: Check, what: string): void => {
    if (this.#gap === undefined) this.#report(check, what);
    else this.#notes.push(`at ${this.#at}, ${check}: what is needed may be among the events that were cut`);
  };
}
