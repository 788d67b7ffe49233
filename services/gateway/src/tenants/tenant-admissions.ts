import { defaultQuotas, type TenantAdmission } from "@soma/contracts/tenant";
import type { TenantId } from "@soma/contracts/ids";
import type { Logger } from "@soma/kit/logger";

const keptMs = 2_000;
/** Younger than this, an old answer serves while the next one is on its way: a request in a while waits for nothing. */
const servesMs = 10_000;
const maxTenants = 10_000;
const logEveryMs = 10_000;

interface Known {
  readonly admission: TenantAdmission;
  readonly askedAt: number;
}

interface AdmissionDeps {
  /** Undefined for a tenant without settings. */
  readonly ask: (tenant: TenantId) => Promise<TenantAdmission | undefined>;
  readonly log: Logger;
  /** Monotonic, in milliseconds. */
  readonly clock?: () => number;
}

/**
 * What each tenant may use and has used, as the orchestrator says: asked for again after two seconds, and never older
 * than ten while it answers. While it does not the last one counts, or the default quotas: it judges each start itself,
 * so nothing is let in that it does not want.
 */
export class TenantAdmissions {
  readonly #deps: AdmissionDeps;
  readonly #clock: () => number;
  readonly #known = new Map<TenantId, Known>();
  readonly #asking = new Map<TenantId, Promise<TenantAdmission>>();
  #loggedAt = -Infinity;

  constructor(deps: AdmissionDeps) {
    this.#deps = deps;
    this.#clock = deps.clock ?? (() => performance.now());
  }

  /** Never fails. Only for tenants that a verified token names: each one is remembered. */
  async admissionOf(tenant: TenantId): Promise<TenantAdmission> {
    const known = this.#known.get(tenant);
    const ageMs = known === undefined ? Infinity : this.#clock() - known.askedAt;
    if (known !== undefined && ageMs < keptMs) return known.admission;
    const asking = this.#asking.get(tenant) ?? this.#ask(tenant, known?.admission);
    this.#asking.set(tenant, asking);
    return known !== undefined && ageMs < servesMs ? known.admission : asking;
  }

  async #ask(tenant: TenantId, last: TenantAdmission | undefined): Promise<TenantAdmission> {
    let admission: TenantAdmission;
    try {
      admission = (await this.#deps.ask(tenant)) ?? withoutSettings(tenant);
    } catch (error) {
      if (this.#clock() - this.#loggedAt >= logEveryMs) {
        this.#loggedAt = this.#clock();
        this.#deps.log.warn({ dependency: "orchestrator", err: error }, "a tenant's quotas could not be read");
      }
      admission = last ?? withoutSettings(tenant);
    }
    this.#asking.delete(tenant);
    this.#known.delete(tenant);
    this.#known.set(tenant, { admission, askedAt: this.#clock() });
    if (this.#known.size > maxTenants) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    return admission;
  }
}

function withoutSettings(tenant: TenantId): TenantAdmission {
  return { tenant, status: "active", quotas: defaultQuotas, usage: { running_sessions: 0, tokens_today: 0 } };
}
