import type { GatewayParts } from "../gateway.ts";
import { tooManyOf } from "./too-many.ts";
import { callerOf, type Visit } from "./visit.ts";

/** `requests_per_minute` of the tenant. */
export async function checkRate(visit: Visit, { tenants, rates, holdBack }: GatewayParts): Promise<void> {
  const { tenant } = callerOf(visit);
  const { quotas } = await tenants.admissionOf(tenant);
  const waitMs = rates.take(tenant, quotas.requests_per_minute);
  if (waitMs === 0) return;
  await holdBack.hold(tenant);
  const detail = `The tenant may send ${String(quotas.requests_per_minute)} requests a minute.`;
  throw tooManyOf("rate", "RATE_LIMITED", detail, waitMs);
}
