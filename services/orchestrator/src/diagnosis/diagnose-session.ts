import type { SessionDiagnosis } from "@soma/contracts/diagnosis";
import { isTerminal } from "@soma/contracts/session";
import type { Dependency } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import type { Ledger } from "../ledger/ledger.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { dayOf } from "../ledger/tenant-store.ts";
import type { SessionInspector } from "../temporal/session-inspector.ts";
import type { Facts } from "./facts.ts";
import { findCauses } from "./find-causes.ts";

/** What a diagnosis asks. */
export interface DiagnosisDeps {
  readonly ledger: Pick<Ledger, "readEvents" | "tenants">;
  readonly inspector: SessionInspector;
  /** What the dependency watch misses, and since when. */
  readonly outages: () => readonly { readonly name: Dependency; readonly since?: Date }[];
}

const newestEvents = 200;

/**
 * Why a session is where it is: from its ledger, its tenant, Temporal and the dependency watch. A Temporal that does not
 * answer is itself a cause, and what it was not asked is said.
 *
 * @throws DomainError AUDIT_UNAVAILABLE
 */
export async function diagnoseSession(
  { ledger, inspector, outages }: DiagnosisDeps,
  row: SessionRow,
  now: Date,
): Promise<SessionDiagnosis> {
  const { tenant, session_id, last_seq } = row;
  const ended = isTerminal(row.status);
  const [events, owner, usage, inspected] = await Promise.all([
    ledger.readEvents({
      tenant,
      sessionId: session_id,
      after: Math.max(0, last_seq - newestEvents),
      limit: newestEvents,
    }),
    ledger.tenants.find(tenant),
    ledger.tenants.usage({ tenant, day: dayOf(now) }),
    ended ? undefined : inspect(inspector, row),
  ]);
  const facts: Facts = {
    now,
    row,
    events,
    ...(owner !== undefined && { tenant: { row: owner, usage } }),
    outages: outages(),
    workflow: inspected,
  };
  const silent = !ended && inspected === undefined;
  return {
    session_id,
    status: row.status,
    as_of: now.toISOString(),
    causes: findCauses(facts),
    not_asked: silent
      ? [
          {
            dependency: "temporal",
            what: "Whether its workflow runs, what it is trying, and whether a worker asks for its work.",
          },
        ]
      : [],
  };
}

/** Undefined when Temporal does not answer. */
async function inspect(inspector: SessionInspector, row: SessionRow): Promise<Facts["workflow"]> {
  try {
    return (await inspector.inspect(row.session_id, row.task_queue)) ?? "unknown_workflow";
  } catch (error) {
    if (error instanceof DomainError && error.code === "TEMPORAL_UNAVAILABLE") return undefined;
    throw error;
  }
}
