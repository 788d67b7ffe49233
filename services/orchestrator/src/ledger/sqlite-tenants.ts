import type { TenantUsage } from "@soma/contracts/tenant";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { tenantSubject } from "@soma/contracts/tenant-events";
import { forgottenAt } from "./idempotency-record.ts";
import { idempotencyKeyReused } from "./refusals.ts";
import { assertLimit } from "./session-page.ts";
import type { SqliteEvents } from "./sqlite-events.ts";
import { integerOf, textOf } from "./stored-row.ts";
import { assertAdmitted, type SessionAdmission } from "./tenant-admission.ts";
import { tenantHeadOf, tenantRowOf, type TenantHead } from "./tenant-head.ts";
import { planTenantAppend, tenantEventIds, type TenantPlan } from "./tenant-plan.ts";
import { dayUseOf } from "./tenant-day-row.ts";
import { unusedDay, type DayUse } from "./tenant-days.ts";
import type { TenantRow } from "./tenant-row.ts";
import { dayOf, type TenantAppend, type TenantAppended, type TenantDay } from "./tenant-store.ts";

/** The tables of tenants, and what a write does to them inside its transaction. */
export class SqliteTenants {
  readonly #events: SqliteEvents;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #find: StatementSync;
  readonly #list: StatementSync;
  readonly #unannounced: StatementSync;
  readonly #acknowledge: StatementSync;
  readonly #running: StatementSync;
  readonly #use: StatementSync;
  readonly #findChange: StatementSync;
  readonly #keepChange: StatementSync;
  readonly #forgetChanges: StatementSync;

  constructor(database: DatabaseSync, events: SqliteEvents) {
    this.#events = events;
    this.#insert = database.prepare("INSERT INTO tenants VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#update = database.prepare(
      "UPDATE tenants SET status = ?, version = ?, last_seq = ?, last_hash = ?, projection = ? WHERE tenant = ?",
    );
    this.#find = database.prepare("SELECT * FROM tenants WHERE tenant = ?");
    this.#list = database.prepare("SELECT * FROM tenants WHERE tenant > ? ORDER BY tenant LIMIT ?");
    this.#unannounced = database.prepare(
      "SELECT * FROM tenants WHERE announced_version < version AND tenant > ? ORDER BY tenant LIMIT ?",
    );
    this.#acknowledge = database.prepare(
      "UPDATE tenants SET announced_version = max(announced_version, ?) WHERE tenant = ?",
    );
    this.#running = database.prepare(
      `SELECT count(*) AS running FROM sessions
       WHERE tenant = ? AND status NOT IN ('completed', 'denied', 'failed', 'canceled', 'timed_out')`,
    );
    this.#use = database.prepare("SELECT * FROM tenant_usage WHERE tenant = ? AND day = ?");
    this.#findChange = database.prepare(
      "SELECT request_digest, projection FROM tenant_changes WHERE tenant = ? AND key = ? AND created_at > ?",
    );
    this.#keepChange = database.prepare("INSERT INTO tenant_changes VALUES (?, ?, ?, ?, ?)");
    this.#forgetChanges = database.prepare("DELETE FROM tenant_changes WHERE created_at <= ?");
  }

  append(input: TenantAppend, tenant: string, now: () => Date): TenantAppended {
    const known = this.#known(input, tenant, now());
    if (known !== undefined) return { row: known, duplicate: true };
    const recorded = new Map(
      tenantEventIds(input).flatMap((id) => {
        const event = this.#events.findOfTenant(id);
        return event === undefined ? [] : [[id, event]];
      }),
    );
    const plan = planTenantAppend(input, this.#head(tenant), recorded, now);
    this.#write(plan);
    if (input.change !== undefined) {
      const { key, requestDigest } = input.change;
      this.#forgetChanges.run(forgottenAt(now()));
      this.#keepChange.run(tenant, key, requestDigest, JSON.stringify(plan.head.row), now().toISOString());
    }
    return { row: plan.head.row, duplicate: plan.events.length === 0 };
  }

  /** Lets a session in, or throws; the tenant is there afterwards. */
  admit({ created, enforced }: SessionAdmission, now: Date): void {
    const { tenant } = created;
    const head = this.#head(tenant) ?? this.#open(created, now);
    if (enforced) assertAdmitted(head.row, this.usage({ tenant, day: dayOf(now) }), now);
  }

  find(tenant: string): TenantRow | undefined {
    return this.#head(tenant)?.row;
  }

  list({ after, limit }: { after: string; limit: number }): TenantRow[] {
    assertLimit(limit);
    return this.#list.all(after, limit).map(tenantRowOf);
  }

  unannounced({ after, limit }: { after: string; limit: number }): TenantRow[] {
    assertLimit(limit);
    return this.#unannounced.all(after, limit).map(tenantRowOf);
  }

  acknowledge({ tenant, version }: { tenant: string; version: number }): void {
    this.#acknowledge.run(version, tenant);
  }

  usage(query: TenantDay): TenantUsage {
    const row = this.#running.get(query.tenant) ?? {};
    const { spent } = this.useOn(query);
    return {
      running_sessions: integerOf(row, "running"),
      tokens_today: spent.tokens,
      ...(spent.cost_micros > 0 && { cost_micros_today: spent.cost_micros }),
    };
  }

  useOn({ tenant, day }: TenantDay): DayUse {
    const row = this.#use.get(tenant, day);
    return row === undefined ? unusedDay : dayUseOf(row);
  }

  readEvents({ tenant, after, limit }: { tenant: string; after: number; limit: number }) {
    return this.#events.readOfTenant({ tenant, sessionId: tenantSubject(tenant), after, limit });
  }

  #known({ change }: TenantAppend, tenant: string, now: Date): TenantRow | undefined {
    const row = change && this.#findChange.get(tenant, change.key, forgottenAt(now));
    if (row === undefined) return undefined;
    if (textOf(row, "request_digest") !== change?.requestDigest) throw idempotencyKeyReused();
    return tenantRowOf(row);
  }

  #open(created: SessionAdmission["created"], now: Date): TenantHead {
    const plan = planTenantAppend({ events: [created] }, undefined, new Map(), () => now);
    this.#write(plan);
    return plan.head;
  }

  #write({ head, events, created }: TenantPlan): void {
    const { row, lastHash } = head;
    const { tenant, status, version, last_seq } = row;
    const [first] = events;
    if (first === undefined) return;
    // What the service itself made of a tenant that identity knows is no news to it.
    const announced = first.event.authn === "service" ? version : 0;
    if (created) this.#insert.run(tenant, status, version, announced, last_seq, lastHash, JSON.stringify(row));
    else this.#update.run(status, version, last_seq, lastHash, JSON.stringify(row), tenant);
    for (const event of events) this.#events.insert(event);
  }

  #head(tenant: string): TenantHead | undefined {
    const row = this.#find.get(tenant);
    return row === undefined ? undefined : tenantHeadOf(row);
  }
}
