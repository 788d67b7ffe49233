import { quotaExceeded, tenantSuspended } from "../ledger/refusals.ts";
import { secondsLeftOf } from "../ledger/tenant-admission.ts";
import { dayOf } from "../ledger/tenant-store.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { findKnownSession } from "./known-session.ts";
import { pauseEvent } from "./step-events.ts";
import { recordOnce } from "./waiting.ts";

/**
 * Before each part of a step: while the tenant is suspended the session says that it is paused, and Temporal tries again
 * until it is resumed. A suspension is seen two seconds after it was made at the latest; what has begun by then ends.
 *
 * @returns the session as it is once it may go on
 * @throws DomainError TENANT_SUSPENDED, which is waited for
 */
export async function passTenantGate(deps: ActivityDeps, row: SessionRow, step: string): Promise<SessionRow> {
  const tenant = await deps.snapshots.find(row.tenant);
  if (tenant?.status === "suspended") {
    if (row.status !== "paused") await recordOnce(deps, pauseEvent(row, step, "session.paused"));
    throw tenantSuspended();
  }
  // Somebody asked for the pause: that is for the workflow to wait on, and for nobody here to lift.
  if (row.status !== "paused" || row.paused?.reason === "requested") return row;
  await recordOnce(deps, pauseEvent(row, step, "session.resumed"));
  return findKnownSession(deps, row.tenant, row.session_id);
}

/**
 * No permit once the day is used up; read anew, because it is counted. What is still set aside is judged with the intent.
 *
 * @throws DomainError QUOTA_EXCEEDED
 */
export async function assertDayLeft(deps: ActivityDeps, { tenant }: SessionRow): Promise<void> {
  const quotas = (await deps.snapshots.find(tenant))?.settings.quotas;
  if (quotas === undefined) return;
  const now = deps.now();
  const { spent } = await deps.ledger.tenants.useOn({ tenant, day: dayOf(now) });
  const { tokens_per_day, cost_micros_per_day } = quotas;
  if (spent.tokens >= tokens_per_day) throw quotaExceeded("tokens_per_day", tokens_per_day, secondsLeftOf(now));
  if (cost_micros_per_day !== undefined && spent.cost_micros >= cost_micros_per_day)
    throw quotaExceeded("cost_micros_per_day", cost_micros_per_day, secondsLeftOf(now));
}
