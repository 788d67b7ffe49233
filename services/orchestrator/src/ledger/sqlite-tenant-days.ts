import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AuditEvent } from "@soma/contracts/audit";
import { dayUseOf, heldReservationOf } from "./tenant-day-row.ts";
import { concernsDays, daysConcerned, needsQuotas, type DayQuotas, type TenantDays } from "./tenant-days.ts";
import { dayOf } from "./tenant-store.ts";

/** A tenant's days inside a write transaction, of which there is one at a time: nothing needs a lock of its own. */
export class SqliteTenantDays {
  readonly #held: StatementSync;
  readonly #use: StatementSync;
  readonly #writeUse: StatementSync;
  readonly #writeHeld: StatementSync;
  readonly #forget: StatementSync;

  constructor(database: DatabaseSync) {
    this.#held = database.prepare("SELECT * FROM tenant_reservations WHERE tenant = ? AND session_id = ?");
    this.#use = database.prepare("SELECT * FROM tenant_usage WHERE tenant = ? AND day = ?");
    this.#writeUse = database.prepare(
      `INSERT INTO tenant_usage (tenant, day, tokens, cost_micros, reserved_tokens, reserved_cost_micros)
       VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, day) DO UPDATE SET tokens = excluded.tokens,
         cost_micros = excluded.cost_micros, reserved_tokens = excluded.reserved_tokens,
         reserved_cost_micros = excluded.reserved_cost_micros`,
    );
    this.#writeHeld = database.prepare(
      `INSERT INTO tenant_reservations (tenant, effect_key, session_id, day, tokens, cost_micros)
       VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, effect_key) DO UPDATE
       SET day = excluded.day, tokens = excluded.tokens, cost_micros = excluded.cost_micros`,
    );
    this.#forget = database.prepare("DELETE FROM tenant_reservations WHERE tenant = ? AND effect_key = ?");
  }

  /** As much of the tenant's days as these events can change; undefined when they can change nothing. */
  find(events: readonly AuditEvent[], quotasOf: (tenant: string) => DayQuotas | undefined): TenantDaysOf | undefined {
    const concerned = events.filter(({ type }) => concernsDays(type));
    const [first] = concerned;
    if (first === undefined) return undefined;
    const { tenant } = first;
    const sessions = [...new Set(concerned.map(({ subject }) => subject))];
    const rows = sessions.flatMap((session) => this.#held.all(tenant, session).map(heldReservationOf));
    const held = new Map(rows.map((one) => [one.effect_key, one]));
    const days = daysConcerned(concerned, held, dayOf(first.time)).flatMap((day) => {
      const row = this.#use.get(tenant, day);
      return row === undefined ? [] : [[day, dayUseOf(row)] as const];
    });
    const quotas = concerned.some(needsQuotas) ? quotasOf(tenant) : undefined;
    return { tenant, before: { quotas: quotas ?? {}, held, days: new Map(days) } };
  }

  /** Writes what changed. */
  write({ tenant, before }: TenantDaysOf, after: TenantDays): void {
    for (const [day, use] of after.days) {
      if (before.days.get(day) === use) continue;
      const { spent, reserved } = use;
      this.#writeUse.run(tenant, day, spent.tokens, spent.cost_micros, reserved.tokens, reserved.cost_micros);
    }
    for (const effectKey of before.held.keys()) if (!after.held.has(effectKey)) this.#forget.run(tenant, effectKey);
    for (const one of after.held.values()) {
      if (before.held.get(one.effect_key) === one) continue;
      const { effect_key, session_id, day, amount } = one;
      this.#writeHeld.run(tenant, effect_key, session_id, day, amount.tokens, amount.cost_micros);
    }
  }
}

/** Whose days they are, and as they stood before the events. */
export interface TenantDaysOf {
  readonly tenant: string;
  readonly before: TenantDays;
}
