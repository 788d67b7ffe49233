import type { Manager } from "../access/manager.ts";

/** What policy is asked about keys: those of the own tenant, or as the installation's admin those of another. */
export function keyAction(manager: Manager, tenant: string): "key.manage" | "platform.manage" {
  return manager.tenant === tenant ? "key.manage" : "platform.manage";
}
