import type { TenantUsage } from "@soma/contracts/tenant";
import { quotaExceeded, tenantSuspended } from "./refusals.ts";
import type { TenantRow } from "./tenant-row.ts";
import type { TenantCreated } from "./tenant-store.ts";

/** How a new session meets its tenant, in the transaction that opens it. */
export interface SessionAdmission {
  /** Recorded first when the tenant is not there yet. */
  readonly created: TenantCreated;
  /** Whether status and quotas are held against it; a workflow that already runs is only counted. */
  readonly enforced: boolean;
}

/** Some of the tenant's sessions end within such a time, or none does for long. */
const retryAfterSeconds = 5;

/** Whether one more session may start. @throws DomainError `TENANT_SUSPENDED`, `QUOTA_EXCEEDED` */
export function assertAdmitted({ status, settings }: TenantRow, usage: TenantUsage, now: Date): void {
  const { running_sessions, tokens_per_day, cost_micros_per_day } = settings.quotas;
  if (status === "suspended") throw tenantSuspended();
  if (usage.running_sessions >= running_sessions)
    throw quotaExceeded("running_sessions", running_sessions, retryAfterSeconds);
  if (usage.tokens_today >= tokens_per_day) throw quotaExceeded("tokens_per_day", tokens_per_day, secondsLeftOf(now));
  if (cost_micros_per_day !== undefined && (usage.cost_micros_today ?? 0) >= cost_micros_per_day)
    throw quotaExceeded("cost_micros_per_day", cost_micros_per_day, secondsLeftOf(now));
}

/** Seconds until the day in UTC is over. */
export function secondsLeftOf(now: Date): number {
  return Math.ceil((86_400_000 - (now.getTime() % 86_400_000)) / 1000);
}
