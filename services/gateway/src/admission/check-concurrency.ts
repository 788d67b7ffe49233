import type { GatewayParts } from "../gateway.ts";
import { tooManyOf } from "./too-many.ts";
import { asksForStream, callerOf, type Visit } from "./visit.ts";

/** `concurrent_requests` of the tenant; streams have a bound of their own. */
export async function checkConcurrency(visit: Visit, { tenants, underWay }: GatewayParts): Promise<void> {
  if (asksForStream(visit)) return;
  const { tenant } = callerOf(visit);
  const { quotas } = await tenants.admissionOf(tenant);
  const leave = underWay.enter(tenant, quotas.concurrent_requests);
  if (leave === undefined) {
    const detail = `The tenant may have ${String(quotas.concurrent_requests)} requests under way.`;
    throw tooManyOf("concurrency", "CONCURRENCY_LIMITED", detail, 1_000);
  }
  visit.leaveConcurrency = leave;
  visit.reply.raw.once("close", leave);
}
