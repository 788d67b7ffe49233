import type { GatewayParts } from "../gateway.ts";
import { tooManyOf } from "./too-many.ts";
import { callerOf, type Visit } from "./visit.ts";

/**
 * `running_sessions` and `tokens_per_day`, as they were some seconds ago at most: spares the orchestrator what it would
 * refuse anyway. It is the one that counts exactly.
 */
export async function checkQuota(visit: Visit, { tenants }: GatewayParts): Promise<void> {
  if (visit.route.starts !== true) return;
  const { quotas, usage } = await tenants.admissionOf(callerOf(visit).tenant);
  if (usage.running_sessions >= quotas.running_sessions) {
    const detail = `The tenant may have ${String(quotas.running_sessions)} sessions running.`;
    throw tooManyOf("quota", "QUOTA_EXCEEDED", detail, 5_000);
  }
  if (usage.tokens_today >= quotas.tokens_per_day) {
    const detail = `The tenant may use ${String(quotas.tokens_per_day)} model tokens a day.`;
    throw tooManyOf("quota", "QUOTA_EXCEEDED", detail, untilMidnightMs(Date.now()));
  }
}

/** Days are UTC's, in which every day has as many milliseconds. */
function untilMidnightMs(now: number): number {
  const dayMs = 86_400_000;
  return dayMs - (now % dayMs);
}
