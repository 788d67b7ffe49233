import type { AppliedPrice, Reservation } from "@soma/contracts/budget";
import type { ChatPrompt } from "@soma/contracts/session";
import type { TenantQuotas } from "@soma/contracts/tenant";
import { DomainError } from "@soma/kit/domain-error";
import type { SessionRow } from "../ledger/session-row.ts";
import type { Prices } from "./price-table.ts";
import { inputTokenBound, worstCase } from "./worst-case.ts";

/** What a step would be charged by; made where the model calls are known, used where the permit is signed. */
export interface StepMeter {
  /** All that the model would be given; read only where something bounds the step. */
  readonly asked: () => Promise<ChatPrompt>;
  /** As the session names it; undefined for the model service's default. */
  readonly model: string | undefined;
}

interface MeterDeps {
  readonly prices: Prices;
  /** Setting MODEL_MAX_OUTPUT_TOKENS. */
  readonly maxOutputTokens: number;
}

/** Members of a permit: what is set aside for the step, and the cap that makes it the worst case. */
export interface Metered {
  readonly max_output_tokens: number;
  readonly reserve: Reservation;
  readonly price?: AppliedPrice;
}

/**
 * The worst case of a model call, where a budget or a quota bounds it; undefined where nothing does.
 *
 * @param allowed what policy lets the model write at most
 * @throws DomainError PRICE_UNKNOWN when money is bounded and the model has no price
 */
export async function meterStep(
  { prices, maxOutputTokens }: MeterDeps,
  { budget }: Pick<SessionRow, "budget">,
  quotas: TenantQuotas | undefined,
  { asked, model }: StepMeter,
  allowed = Infinity,
): Promise<Metered | undefined> {
  if (budget === undefined && quotas === undefined) return undefined;
  const moneyIsBounded = budget?.limit.cost_micros !== undefined || quotas?.cost_micros_per_day !== undefined;
  const price = moneyIsBounded ? prices.require(model) : prices.find(model);
  const { messages, sampling } = await asked();
  const max_output_tokens = Math.min(allowed, sampling?.max_tokens ?? Infinity, maxOutputTokens);
  const reserve = worstCase(inputTokenBound(messages), max_output_tokens, price);
  return { max_output_tokens, reserve, ...(price !== undefined && { price }) };
}

/**
 * Right before the call: what the model is really given is not more than what was set aside for it.
 *
 * @throws DomainError PERMIT_INVALID
 */
export function assertWithinReserve(
  { reserve, max_output_tokens = Infinity }: { readonly reserve?: Reservation; readonly max_output_tokens?: number },
  { messages }: Pick<ChatPrompt, "messages">,
): void {
  if (reserve === undefined || inputTokenBound(messages) + max_output_tokens <= reserve.tokens) return;
  throw new DomainError("PERMIT_INVALID", "The step would give the model more than was set aside for it.");
}
