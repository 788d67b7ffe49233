import type { Ledger } from "../ledger/ledger.ts";
import type { TenantRow } from "../ledger/tenant-row.ts";

/** For so long a tenant's row counts as read: so late, at most, another process hears of a suspension. */
const keptMs = 2_000;
/** Tenants that are remembered; the one that was read longest ago is forgotten for another. */
const maxKept = 1_000;

interface Snapshot {
  readonly readAt: number;
  readonly row: Promise<TenantRow | undefined>;
}

/**
 * Tenants as they were two seconds ago at most, for what need not be exact: whether one is suspended, which pack decides,
 * how many streams it may have. What counts sessions and tokens asks the ledger itself.
 */
export class TenantSnapshots {
  readonly #ledger: Pick<Ledger, "tenants">;
  readonly #clock: () => number;
  readonly #kept = new Map<string, Snapshot>();

  /** `clock` in milliseconds, never stepping back. */
  constructor(ledger: Pick<Ledger, "tenants">, clock: () => number = () => performance.now()) {
    this.#ledger = ledger;
    this.#clock = clock;
  }

  /** Undefined for a tenant that is no object yet. @throws DomainError AUDIT_UNAVAILABLE; the next call asks again. */
  find(tenant: string): Promise<TenantRow | undefined> {
    const known = this.#kept.get(tenant);
    if (known !== undefined && this.#clock() - known.readAt < keptMs) return known.row;
    const row = this.#ledger.tenants.find(tenant);
    row.catch(() => {
      if (this.#kept.get(tenant)?.row === row) this.#kept.delete(tenant);
    });
    this.#kept.delete(tenant);
    this.#kept.set(tenant, { readAt: this.#clock(), row });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > maxKept && oldest !== undefined) this.#kept.delete(oldest);
    return row;
  }

  /** After a change that this process made itself. */
  forget(tenant: string): void {
    this.#kept.delete(tenant);
  }
}
