import type { TenantNewEvent } from "@soma/contracts/tenant-events";
import type { Manager } from "../access/manager.ts";

/** As whom a manager stands in a tenant's ledger. */
export function actorOf({ user, authn }: Manager): Pick<TenantNewEvent, "user" | "agent" | "authn"> {
  return { user, agent: "orchestrator", authn };
}
