import { DomainError } from "@soma/kit/domain-error";
import type { Logger } from "@soma/kit/logger";
import { PassLoop } from "@soma/kit/pass-loop";
import type { IdentityTenants } from "../adapters/identity-tenants.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { TenantRow } from "../ledger/tenant-row.ts";

interface AnnouncerOptions {
  readonly ledger: Pick<Ledger, "tenants">;
  readonly identityTenants: Pick<IdentityTenants, "announce">;
  readonly log: Logger;
  /** Between two looks; each process adds up to a third, so that several do not ask at the same moment. */
  readonly intervalMs?: number;
}

const pageSize = 100;

/**
 * Tells the identity service what it must know of tenants: at once when one changes, and again until it has taken it
 * over. What it acknowledged is remembered in the ledger's database, so that a restart forgets nothing. Several processes
 * may tell the same: an older version never takes the place of a newer one there.
 */
export class TenantAnnouncer {
  readonly #options: AnnouncerOptions;
  readonly #loop: PassLoop;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    const { log, intervalMs = 5_000 } = options;
    this.#loop = new PassLoop({ pass: () => this.pass(), intervalMs, log, failed: "tenants could not be announced" });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Never fails: what was recorded holds, and is told again later. False when nobody answered. */
  async announce(row: TenantRow): Promise<boolean> {
    const { ledger, identityTenants, log } = this.#options;
    const { tenant, version, status, settings } = row;
    try {
      const known = await identityTenants.announce(tenant, { version, status, issuers: settings.issuers });
      // Something newer is in force there: somebody else has told it, and will say so.
      if (known.version === version) await ledger.tenants.acknowledge({ tenant, version });
      return true;
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      log.warn({ tenant, code: error.code, err: error }, "the identity service was not told of a tenant; it will be");
      // One that it refuses must not hold up those behind it.
      return error.code === "IDENTITY_BAD_RESPONSE";
    }
  }

  /** Tells all that was not taken over, page by page, until the identity service does not answer. */
  async pass(): Promise<void> {
    const { ledger } = this.#options;
    for (let after = ""; ;) {
      const page = await ledger.tenants.unannounced({ after, limit: pageSize });
      for (const row of page) if (this.#loop.isStopping || !(await this.announce(row))) return;
      const last = page.at(-1);
      if (page.length < pageSize || last === undefined) return;
      after = last.tenant;
    }
  }
}
