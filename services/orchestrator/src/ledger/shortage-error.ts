import type { BudgetDimension } from "@soma/contracts/budget";
import type { TenantQuotas } from "@soma/contracts/tenant";
import { DomainError } from "@soma/kit/domain-error";

/** What an effect is refused for: a bound of its session, or one of its tenant's day. */
export type ShortOf = BudgetDimension | Extract<keyof TenantQuotas, "tokens_per_day" | "cost_micros_per_day">;

/** The refusal of an intent, with the bound that it would have broken; for the count of refusals. */
export class ShortageError extends DomainError {
  readonly shortOf: ShortOf;

  constructor(shortOf: ShortOf, { code, message, retryAfterSeconds }: DomainError) {
    super(code, message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
    this.shortOf = shortOf;
  }
}
