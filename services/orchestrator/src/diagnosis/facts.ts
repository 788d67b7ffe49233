import type { AuditEvent, EventType } from "@soma/contracts/audit";
import type { Dependency } from "@soma/contracts/wire-names";
import type { SessionRow } from "../ledger/session-row.ts";
import type { TenantRow } from "../ledger/tenant-row.ts";
import type { TenantUsage } from "@soma/contracts/tenant";
import type { Inspection } from "../temporal/session-inspector.ts";

/** What a diagnosis is made of: nothing in it is a text of a user's. */
export interface Facts {
  readonly now: Date;
  readonly row: SessionRow;
  /** The newest ones, in order. */
  readonly events: readonly AuditEvent[];
  readonly tenant?: { readonly row: TenantRow; readonly usage: TenantUsage };
  /** What the dependency watch of this process misses. */
  readonly outages: readonly { readonly name: Dependency; readonly since?: Date }[];
  /** `unknown_workflow`: Temporal has none of this session. Undefined: Temporal did not answer. */
  readonly workflow: Inspection | "unknown_workflow" | undefined;
}

/** When the newest event of a type was recorded, as far as it is among the newest. */
export function timeOf(
  { events }: Pick<Facts, "events">,
  type: EventType,
  fits: (data: AuditEvent["data"]) => boolean = () => true,
): { readonly since?: string } {
  const found = events.findLast((event) => event.type === type && fits(event.data));
  return found === undefined ? {} : { since: found.time };
}

export function sinceOf(time: Date | undefined): { readonly since?: string } {
  return time === undefined ? {} : { since: time.toISOString() };
}
