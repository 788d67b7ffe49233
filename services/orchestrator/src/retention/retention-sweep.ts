import type { Logger } from "@soma/kit/logger";
import { PassLoop } from "@soma/kit/pass-loop";
import type { Ledger } from "../ledger/ledger.ts";
import type { TenantRow } from "../ledger/tenant-row.ts";
import { serviceActor } from "../tenants/found-tenant.ts";

interface SweepOptions {
  readonly ledger: Pick<Ledger, "tenants" | "retention">;
  readonly log: Logger;
  readonly now: () => Date;
  /** Whether events go to Kafka: one that is not there yet is not cut. */
  readonly delivered: boolean;
  /** Between two passes; each process adds up to a third, so that several do not look at the same moment. */
  readonly intervalMs?: number;
}

const dayMs = 86_400_000;
const tenantsPerPage = 100;
/** Of one transaction, which other writers wait for. */
const sessionsAtOnce = 25;
/** Of one tenant in one pass, so that the next one has its turn. */
const cutsPerPass = 40;

/**
 * Cuts what is older than its tenant wants it to be kept. Every worker runs one: each cut is one transaction that
 * finds what is due and marks it, so that of two workers the second finds nothing.
 */
export class RetentionSweep {
  readonly #options: SweepOptions;
  readonly #loop: PassLoop;

  constructor(options: SweepOptions) {
    this.#options = options;
    const { log, intervalMs = 60_000 } = options;
    this.#loop = new PassLoop({ pass: () => this.pass(), intervalMs, log, failed: "retention could not be applied" });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Goes through all tenants once. */
  async pass(): Promise<void> {
    const { ledger } = this.#options;
    for (let after = ""; ;) {
      const page = await ledger.tenants.list({ after, limit: tenantsPerPage });
      for (const row of page) await this.#sweep(row);
      const last = page.at(-1);
      if (page.length < tenantsPerPage || last === undefined) return;
      after = last.tenant;
    }
  }

  async #sweep({ tenant, settings: { retention_days } }: TenantRow): Promise<void> {
    if (retention_days === undefined) return;
    const { ledger, log, now, delivered } = this.#options;
    const before = new Date(now().getTime() - retention_days * dayMs).toISOString();
    for (let cuts = 0; cuts < cutsPerPass && !this.#loop.isStopping; cuts += 1) {
      const pass = { tenant, before, delivered, limit: sessionsAtOnce, actor: serviceActor };
      const cut = await ledger.retention.apply(pass);
      if (cut === undefined) return;
      log.info({ tenant, count: cut.sessions }, "sessions whose time was over were cut");
    }
  }
}
