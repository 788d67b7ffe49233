import type { AuditEvent, NewEvent } from "@soma/contracts/audit";
import { genesisHash } from "@soma/contracts/audit";
import { AppendPlan } from "../../src/ledger/append-plan.ts";
import { sealEvent } from "../../src/ledger/event-chain.ts";
import type { SessionHead } from "../../src/ledger/session-head.ts";
import { noDays } from "../../src/ledger/tenant-days.ts";
import { projectSession } from "../../src/ledger/session-projection.ts";
import type { SessionProjection, SessionRow } from "../../src/ledger/session-row.ts";

/** One session's ledger by the very plan that the stores append by, with nothing under it. */
export class MemoryLedger {
  #head: SessionHead;
  readonly #recorded = new Map<string, AuditEvent>();
  readonly events: AuditEvent[] = [];
  /** The session as it was after each event. */
  readonly rows: SessionRow[] = [];
  /** Milliseconds since 1970. */
  now = Date.parse("2026-03-01T00:00:00.000Z");

  constructor(created: Extract<NewEvent, { type: "session.created" }>) {
    const place = { sequence: 1, prevhash: genesisHash, time: new Date(this.now).toISOString() };
    const { event } = sealEvent(created, place);
    this.#head = { row: { ...projectSession(undefined, event), workflow_id: "w" }, lastHash: event.hash };
    this.#keep(event);
  }

  get row(): SessionRow {
    return this.#head.row;
  }

  /** @throws DomainError what the append is refused with; nothing is appended then */
  append(event: NewEvent): void {
    const { plan, head } = this.#planned(event);
    this.#head = head;
    for (const { event: sealed } of plan.events) this.#keep(sealed);
  }

  /** The session as it would be after an event, which is neither sealed nor appended. @throws DomainError */
  tried({ type, data }: NewEvent, now = this.now): SessionProjection {
    const { workflow_id: _id, run_id: _run, ...row } = this.row;
    const [last] = this.events.slice(-1);
    if (last === undefined) throw new Error("a session has events");
    const place = { sequence: row.last_seq + 1, time: new Date(now).toISOString() };
    return projectSession(row, { ...last, ...place, type, data: { ...data } });
  }

  /** A crash: what was in memory is gone, and made anew from the events. */
  replay(): void {
    const { workflow_id, run_id: _none } = this.row;
    let row: SessionProjection | undefined;
    for (const event of this.events) row = projectSession(row, event);
    if (row !== undefined) this.#head = { ...this.#head, row: { ...row, workflow_id } };
  }

  #planned(event: NewEvent): { plan: AppendPlan; head: SessionHead } {
    const plan = new AppendPlan(new Map([[event.session_id, this.#head]]), this.#recorded, noDays);
    plan.add([event], [], () => new Date(this.now));
    return { plan, head: plan.changed[0] ?? this.#head };
  }

  #keep(event: AuditEvent): void {
    this.events.push(event);
    this.#recorded.set(event.id, event);
    this.rows.push(this.row);
  }
}
