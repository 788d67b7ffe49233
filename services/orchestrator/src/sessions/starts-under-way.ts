import type { TenantId } from "@soma/contracts/ids";
import { DomainError } from "@soma/kit/domain-error";

/** Keeps two starts with one idempotency key from racing in this process: the second is told to come again. */
export class StartsUnderWay {
  readonly #slots = new Set<string>();

  /** @throws DomainError IDEMPOTENCY_IN_PROGRESS while another start with this key of the tenant's is under way. */
  async run<Result>(tenant: TenantId, key: string | undefined, start: () => Promise<Result>): Promise<Result> {
    if (key === undefined) return start();
    const slot = `${tenant} ${key}`;
    if (this.#slots.has(slot)) {
      throw new DomainError("IDEMPOTENCY_IN_PROGRESS", "The first request with this key is still running; try again.", {
        retryAfterSeconds: 1,
      });
    }
    this.#slots.add(slot);
    try {
      return await start();
    } finally {
      this.#slots.delete(slot);
    }
  }
}
