import type { GatewayParts } from "../gateway.ts";
import { AccessRefused } from "./access-refused.ts";
import { callerOf, type Visit } from "./visit.ts";

/** Nothing starts in a suspended tenant; reads go on. */
export async function checkSuspended(visit: Visit, { tenants }: GatewayParts): Promise<void> {
  if (visit.route.starts !== true) return;
  const { status } = await tenants.admissionOf(callerOf(visit).tenant);
  if (status === "suspended")
    throw new AccessRefused("tenant_suspended", "TENANT_SUSPENDED", "The tenant is suspended; nothing starts in it.");
}
