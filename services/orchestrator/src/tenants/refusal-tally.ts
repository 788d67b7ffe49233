import { randomUUID } from "node:crypto";
import type { AccessRefusal, AccessReport } from "@soma/contracts/access";
import type { TenantId } from "@soma/contracts/ids";
import type { Logger } from "@soma/kit/logger";

interface TallyOptions {
  /** Rejects when the reports are not in the ledgers. */
  readonly record: (reports: readonly AccessReport[]) => Promise<void>;
  readonly log: Logger;
  readonly windowMs?: number;
  readonly now?: () => Date;
}

/** What the orchestrator itself refuses at its door. */
export type CountedRefusal = Extract<AccessRefusal, "tenant_mismatch" | "approval">;

interface Count {
  readonly reason: CountedRefusal;
  readonly tenant: TenantId | undefined;
  count: number;
  readonly firstAt: string;
  lastAt: string;
}

/** Tenants that are told apart within a window; those beyond count for the installation's own. */
const maxTenants = 200;
/** Reports that wait while the ledger cannot be written; beyond them the newest are dropped and logged. */
const maxWaiting = 1_000;

/**
 * Counts requests of a token's holder that were refused here and not by the gateway: one event for a tenant, a reason and a
 * window of ten seconds, however many there were.
 */
export class RefusalTally {
  readonly #options: TallyOptions;
  readonly #timer: NodeJS.Timeout;
  #window = new Map<string, Count>();
  #waiting: AccessReport[] = [];
  #recording: Promise<void> | undefined;

  constructor(options: TallyOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.flush(), options.windowMs ?? 10_000);
    this.#timer.unref();
  }

  count(tenant: TenantId, reason: CountedRefusal): void {
    const own = `${reason} ${tenant}`;
    const isKnown = this.#window.has(own) || this.#window.size < maxTenants;
    const slot = isKnown ? own : reason;
    const at = (this.#options.now?.() ?? new Date()).toISOString();
    const known = this.#window.get(slot);
    if (known === undefined)
      this.#window.set(slot, { reason, tenant: isKnown ? tenant : undefined, count: 1, firstAt: at, lastAt: at });
    else {
      known.count += 1;
      known.lastAt = at;
    }
  }

  /** Ends the window and records what waits; never fails. */
  flush(): Promise<void> {
    const ended = this.#window;
    this.#window = new Map();
    for (const { reason, tenant, count, firstAt: first_at, lastAt: last_at } of ended.values()) {
      if (this.#waiting.length >= maxWaiting) continue;
      const counted = { report_id: randomUUID(), reason, count, first_at, last_at } as const;
      this.#waiting.push({ ...counted, ...(tenant !== undefined && { tenant }) });
    }
    this.#recording ??= this.#record().finally(() => {
      this.#recording = undefined;
    });
    return this.#recording;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#recording;
    await this.flush();
  }

  async #record(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const reports = [...this.#waiting];
    try {
      await this.#options.record(reports);
      this.#waiting = this.#waiting.filter((report) => !reports.includes(report));
    } catch (error) {
      // The same reports come again with the next window, under the same ids.
      this.#options.log.warn({ count: reports.length, err: error }, "counted refusals could not be recorded yet");
    }
  }
}
