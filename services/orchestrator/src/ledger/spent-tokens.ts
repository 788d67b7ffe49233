import type { AuditEvent } from "@soma/contracts/audit";
import { dayOf } from "./tenant-store.ts";
import { typedEvent } from "./typed-event.ts";

/** Model tokens that events, new in the ledger, add to their tenant's days. */
export function spentTokens(events: readonly AuditEvent[]): ReadonlyMap<string, number> {
  const spent = new Map<string, number>();
  for (const event of events) {
    if (event.type !== "effect.completed") continue;
    const typed = typedEvent(event);
    const tokens = typed.type === "effect.completed" ? typed.data.usage.total_tokens : 0;
    const day = dayOf(event.time);
    spent.set(day, (spent.get(day) ?? 0) + tokens);
  }
  return spent;
}
