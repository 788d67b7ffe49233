import { genesisHash, type NewEvent } from "@soma/contracts/audit";
import type { SealedContent } from "../contents/content-vault.ts";
import { sessionsNaming } from "./content.ts";
import { eventId, saysTheSame, sealEvent } from "./event-chain.ts";
import type { Appended, OpenedSession, OpenSession } from "./ledger.ts";
import { eventConflict, idempotencyKeyReused, sessionNotFound } from "./refusals.ts";
import type { SessionHead } from "./session-head.ts";
import { projectSession } from "./session-projection.ts";
import { sessionIdTaken } from "./session-id-taken.ts";
import type { SessionRow } from "./session-row.ts";
import type { SqliteContents } from "./sqlite-contents.ts";
import type { SqliteEvents } from "./sqlite-events.ts";
import type { SqliteIdempotency } from "./sqlite-idempotency.ts";
import type { SqliteSessions } from "./sqlite-sessions.ts";
import type { SqliteTenantDays } from "./sqlite-tenant-days.ts";
import { tenantDaysAfter } from "./tenant-days.ts";
import type { SqliteTenants } from "./sqlite-tenants.ts";

interface Tables {
  readonly events: SqliteEvents;
  readonly sessions: SqliteSessions;
  readonly contents: SqliteContents;
  readonly idempotency: SqliteIdempotency;
  readonly tenants: SqliteTenants;
  readonly tenantDays: SqliteTenantDays;
}

/** What a write does inside its transaction. Each throws to be rolled back. */
export class SqliteWriter {
  readonly #tables: Tables;
  readonly #now: () => Date;

  constructor(tables: Tables, now: () => Date) {
    this.#tables = tables;
    this.#now = now;
  }

  openSession(input: OpenSession, contents: readonly SealedContent[]): OpenedSession {
    const { created, idempotency } = input;
    const now = this.#now();
    const known = idempotency && this.#tables.idempotency.find(created.tenant, idempotency.key, now);
    if (known !== undefined && known.requestDigest !== idempotency?.requestDigest) {
      throw idempotencyKeyReused();
    }
    // The key decides and not the id: an id that the service makes differs from one try to the next.
    if (known !== undefined) return { row: this.#head(created.tenant, known.sessionId).row, duplicate: true };

    const opened = this.#existing(input) ?? { row: this.#create(input, contents, now), duplicate: false };
    if (idempotency !== undefined) {
      const { key, requestDigest } = idempotency;
      const record = { requestDigest, sessionId: created.session_id, createdAt: now.toISOString() };
      this.#tables.idempotency.insert(created.tenant, key, record, now);
    }
    return opened;
  }

  append(events: readonly NewEvent[], contents: readonly SealedContent[]): readonly Appended[] {
    const now = this.#now();
    const appended = events.map((event) => this.#appendOne(event, now));
    const fresh = appended.flatMap(({ event, duplicate }) => (duplicate ? [] : [event]));
    const { tenantDays, tenants } = this.#tables;
    const days = tenantDays.find(fresh, (tenant) => tenants.find(tenant)?.settings.quotas);
    if (days !== undefined) tenantDays.write(days, fresh.reduce(tenantDaysAfter, days.before));
    for (const content of contents) this.#tables.contents.insert(content, sessionsNaming(content, events));
    return appended;
  }

  #existing({ created, workflowId }: OpenSession): OpenedSession | undefined {
    const { events, sessions } = this.#tables;
    if (!sessions.isTaken(created.session_id)) return undefined;
    const key = { tenant: created.tenant, sessionId: created.session_id };
    const row = sessions.find(key)?.row;
    const [first] = events.read({ ...key, after: 0, limit: 1 });
    if (row?.workflow_id === workflowId && first !== undefined && saysTheSame(first, created)) {
      return { row, duplicate: true };
    }
    // One text for a stranger's id and for an own one: it must not say which.
    throw sessionIdTaken();
  }

  #create(input: OpenSession, contents: readonly SealedContent[], now: Date): SessionRow {
    const { created, workflowId, runId, admission } = input;
    if (admission !== undefined) this.#tables.tenants.admit(admission, now);
    const sealed = sealEvent(created, { sequence: 1, prevhash: genesisHash, time: now.toISOString() });
    const projection = projectSession(undefined, sealed.event);
    const row = { ...projection, workflow_id: workflowId, ...(runId !== undefined && { run_id: runId }) };
    this.#tables.sessions.insert({ row, lastHash: sealed.event.hash });
    this.#tables.events.insert(sealed);
    for (const content of contents) this.#tables.contents.insert(content, [created.session_id]);
    return row;
  }

  #appendOne(input: NewEvent, now: Date): Appended {
    const recorded = this.#tables.events.find(eventId(input.tenant, input.session_id, input.key));
    if (recorded !== undefined) {
      if (saysTheSame(recorded, input)) return { event: recorded, duplicate: true };
      throw eventConflict();
    }
    const { row, lastHash } = this.#head(input.tenant, input.session_id);
    const time = now.toISOString();
    const sealed = sealEvent(input, { sequence: row.last_seq + 1, prevhash: lastHash, time });
    const { workflow_id: _workflow, run_id: _run, ...before } = row;
    this.#tables.sessions.update(projectSession(before, sealed.event), sealed.event.hash);
    this.#tables.events.insert(sealed);
    return { event: sealed.event, duplicate: false };
  }

  #head(tenant: string, sessionId: string): SessionHead {
    const head = this.#tables.sessions.find({ tenant, sessionId });
    if (head === undefined) throw sessionNotFound();
    return head;
  }
}
