import type { AccessReport } from "@soma/contracts/access";
import type { TenantId } from "@soma/contracts/ids";
import type { TenantNewEvent } from "@soma/contracts/tenant-events";
import { platformTenant } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import type { Ledger } from "../ledger/ledger.ts";
import { refuse } from "../sessions/session-input.ts";
import { foundTenant, serviceActor } from "./found-tenant.ts";

type Refused = Extract<TenantNewEvent, { type: "access.refused" }>;

/**
 * Records counted refusals, each in the ledger of its tenant; one of no tenant, or of one that is no object, is for the
 * installation's own. A report that comes again is the same event.
 *
 * @throws DomainError VALIDATION_FAILED for a time that is none, AUDIT_UNAVAILABLE: then the same reports may come again
 */
export async function recordRefusals(
  { ledger }: { readonly ledger: Pick<Ledger, "tenants"> },
  reports: readonly AccessReport[],
  reporter: "gateway" | "orchestrator",
): Promise<void> {
  const byTenant = new Map<TenantId | undefined, AccessReport[]>();
  for (const report of reports) byTenant.set(report.tenant, [...(byTenant.get(report.tenant) ?? []), report]);
  for (const [tenant, ofTenant] of byTenant) {
    const known = tenant !== undefined && (await ledger.tenants.find(tenant)) !== undefined;
    const events = ofTenant.map((report) => eventOf(report, known ? tenant : platformTenant, reporter));
    await append(ledger, events);
  }
}

async function append(ledger: Pick<Ledger, "tenants">, events: readonly Refused[]): Promise<void> {
  const [first] = events;
  if (first === undefined) return;
  // The installation's own tenant may not be there yet; all others were just found.
  const created = foundTenant(first.tenant);
  try {
    await ledger.tenants.append({ events, created });
  } catch (error) {
    if (!(error instanceof DomainError && error.code === "EVENT_CONFLICT")) throw error;
    // An id that was used for another report: the first one counts, and must not hold the others up.
    if (events.length > 1) for (const event of events) await append(ledger, [event]);
  }
}

function eventOf(report: AccessReport, tenant: string, reporter: string): Refused {
  const { report_id, reason, count, first_at, last_at } = report;
  return {
    ...serviceActor,
    user: `service:${reporter}`,
    tenant,
    type: "access.refused",
    key: `access.refused/${report_id}`,
    data: { reason, count, first_at: instant("first_at", first_at), last_at: instant("last_at", last_at) },
  };
}

function instant(name: string, text: string): string {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? refuse(`/reports/${name}`, "is not RFC 3339") : time.toISOString();
}
