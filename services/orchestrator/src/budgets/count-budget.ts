import type { Permit } from "@soma/contracts/permit";
import type { Usage } from "@soma/contracts/session";
import { ShortageError } from "../ledger/shortage-error.ts";
import type { SessionMetrics } from "../session-metrics.ts";
import { costOfUsage } from "./worst-case.ts";

/** Counts an effect that did not begin, or ended, for want of budget; any other error is none of that. */
export function countRefusal({ budgetRefusals }: Pick<SessionMetrics, "budgetRefusals">, error: unknown): void {
  if (error instanceof ShortageError) budgetRefusals.inc({ dimension: error.shortOf });
}

/** What the outcome of an effect says of its cost: by the price that its intent named, whichever is in force by now. */
export function settledCost(
  { budgetOverruns }: Pick<SessionMetrics, "budgetOverruns">,
  { reserve, price }: Pick<Permit, "reserve" | "price">,
  usage: Usage,
): { cost_micros?: number } {
  if (reserve !== undefined && usage.total_tokens > reserve.tokens) budgetOverruns.inc();
  return price === undefined ? {} : { cost_micros: costOfUsage(usage, price) };
}
