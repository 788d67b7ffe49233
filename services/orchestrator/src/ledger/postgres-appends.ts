import { setImmediate } from "node:timers/promises";
import type { NewEvent } from "@soma/contracts/audit";
import { DomainError } from "@soma/kit/domain-error";
import type { SealedContent } from "../contents/content-vault.ts";
import { AppendPlan } from "./append-plan.ts";
import { auditUnavailable } from "./audit-unavailable.ts";
import { eventId } from "./event-chain.ts";
import type { Appended } from "./ledger.ts";
import { insertContents, insertNames } from "./postgres-contents.ts";
import type { PostgresDatabase, Query } from "./postgres-database.ts";
import { findEvents, insertEvents } from "./postgres-events.ts";
import { lockSessions, updateSessions } from "./postgres-sessions.ts";
import { lockTenantDays, writeTenantDays } from "./postgres-tenant-days.ts";

interface Waiting {
  readonly events: readonly NewEvent[];
  readonly contents: readonly SealedContent[];
  readonly deadlineMs: number;
  readonly resolve: (appended: readonly Appended[]) => void;
  readonly reject: (reason: unknown) => void;
}

interface PostgresAppendsOptions {
  /** How many appends share one commit at most. */
  readonly maxGroup: number;
  /** An append that waited this long is not begun. */
  readonly timeoutMs: number;
  readonly now: () => Date;
}

/**
 * Puts the appends of a tenant that wait at the same time into one transaction: some statements and one sync of the
 * disk for all of them, and one that is refused leaves the others alone. Tenants do not wait for each other here, only
 * for the newest position while one of them commits. A promise resolves after COMMIT only.
 */
export class PostgresAppends {
  readonly #database: PostgresDatabase;
  readonly #options: PostgresAppendsOptions;
  /** Tenants with an append under way, and what waits behind it. */
  readonly #queues = new Map<string, Waiting[]>();

  constructor(database: PostgresDatabase, options: PostgresAppendsOptions) {
    this.#database = database;
    this.#options = options;
  }

  submit(
    tenant: string,
    events: readonly NewEvent[],
    contents: readonly SealedContent[],
  ): Promise<readonly Appended[]> {
    return new Promise((resolve, reject) => {
      const deadlineMs = performance.now() + this.#options.timeoutMs;
      const waiting = { events, contents, deadlineMs, resolve, reject };
      const queue = this.#queues.get(tenant);
      if (queue !== undefined) return void queue.push(waiting);
      const own = [waiting];
      this.#queues.set(tenant, own);
      void this.#drain(tenant, own);
    });
  }

  async #drain(tenant: string, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      // One turn of the event loop: whoever is ready now joins this group.
      await setImmediate();
      const group = queue.splice(0, this.#options.maxGroup);
      const now = performance.now();
      const late = group.filter(({ deadlineMs }) => deadlineMs <= now);
      for (const { reject } of late) reject(auditUnavailable(new Error("the append waited too long")));
      await this.#commit(
        tenant,
        group.filter(({ deadlineMs }) => deadlineMs > now),
      );
    }
    this.#queues.delete(tenant);
  }

  async #commit(tenant: string, group: readonly Waiting[]): Promise<void> {
    if (group.length === 0) return;
    try {
      const outcomes = await this.#database.write(tenant, (query) => this.#write(query, tenant, group));
      for (const settle of outcomes) settle();
    } catch (error) {
      // A statement that fails for what one of them brings must not fail the others: each alone.
      if (!(error instanceof DomainError) && group.length > 1) {
        for (const waiting of group) await this.#commit(tenant, [waiting]);
        return;
      }
      for (const { reject } of group) reject(error);
    }
  }

  async #write(query: Query, tenant: string, group: readonly Waiting[]): Promise<readonly (() => void)[]> {
    const events = group.flatMap((waiting) => waiting.events);
    const heads = await lockSessions(query, tenant, [...new Set(events.map(({ session_id }) => session_id))]);
    // After the lock: whoever held it before has committed, and this statement sees it.
    const recorded = await findEvents(
      query,
      events.map((event) => eventId(event.tenant, event.session_id, event.key)),
    );
    // One time for all: what is set aside belongs to the day that is locked, also in the moment of midnight.
    const now = this.#options.now();
    const days = await lockTenantDays(query, tenant, events, now);
    const plan = new AppendPlan(heads, recorded, days);
    const outcomes = group.map((waiting) => {
      try {
        const appended = plan.add(waiting.events, waiting.contents, () => now);
        return () => waiting.resolve(appended);
      } catch (error) {
        return () => waiting.reject(error);
      }
    });
    await insertContents(query, plan.contents);
    await insertNames(query, plan.names);
    if (plan.events.length > 0) {
      await updateSessions(query, plan.changed);
      await writeTenantDays(query, tenant, days, plan.days);
      await insertEvents(query, plan.events);
    }
    return outcomes;
  }
}
