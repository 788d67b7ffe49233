import type { Logger } from "@soma/kit/logger";
import type { ServiceMetrics } from "@soma/kit/metrics";
import { buildServer, type Missing, type Server } from "@soma/kit/server";
import { startLimits } from "@soma/contracts/session";
import type { HopGate } from "./access/hop/hop-gate.ts";
import { countMismatches } from "./access/count-mismatches.ts";
import type { DiagnosisDeps } from "./diagnosis/diagnose-session.ts";
import { addDiagnoseSession } from "./routes/diagnose-session.ts";
import { addGetSession } from "./routes/get-session.ts";
import { addListSessions } from "./routes/list-sessions.ts";
import { addReadEvents } from "./routes/read-events.ts";
import { addOpenai } from "./routes/openai/add-openai.ts";
import type { ModelListDeps } from "./openai/list-models.ts";
import type { RouteDeps } from "./routes/route-deps.ts";
import { addSessionActions } from "./routes/session-actions.ts";
import { addStops } from "./routes/stops.ts";
import { addStartSession } from "./routes/start-session.ts";
import { addAccessReports } from "./routes/tenants/access-reports.ts";
import { addApiKeys } from "./routes/tenants/api-keys.ts";
import { addChangeTenants } from "./routes/tenants/change-tenants.ts";
import { addReadTenants } from "./routes/tenants/read-tenants.ts";
import { StartsUnderWay } from "./sessions/starts-under-way.ts";
import type { StopDeps } from "./stops/stop-deps.ts";
import { recordRefusals } from "./tenants/record-refusals.ts";
import { RefusalTally } from "./tenants/refusal-tally.ts";
import { version } from "./version.ts";

interface AppOptions
  extends
    Omit<RouteDeps, "fromGateway">,
    Omit<ModelListDeps, "identity">,
    Pick<StopDeps, "eraseMemory" | "stopTimes">,
    Pick<DiagnosisDeps, "inspector" | "outages"> {
  readonly identity: ModelListDeps["identity"] & StopDeps["identity"];
  readonly log: Logger;
  readonly metrics: ServiceMetrics;
  readonly missing: () => readonly Missing[];
  readonly hop: HopGate;
  /** How long a request of the OpenAI-compatible face waits for an answer that is not streamed; 5 minutes unless given. */
  readonly answerWithinMs?: number;
  /** How long refused requests are counted before they are one event; 10 s unless given. */
  readonly refusalWindowMs?: number;
}

const answerWithinMs = 300_000;

/** The orchestrator's HTTP API; nothing listens yet. All routes are listed here. */
export async function buildApp(options: AppOptions): Promise<Server> {
  const app = await buildServer({
    service: "orchestrator",
    version,
    description:
      "Starts, shows and steers sessions of AI agents: each a durable workflow in which nothing acts without a permit.",
    log: options.log,
    metrics: options.metrics,
    missing: options.missing,
    bearer: true,
    bodyLimitBytes: startLimits.bodyBytes,
    // The body around the metadata is one level more.
    maxDepth: startLimits.depth + 1,
    guard: options.hop.guard,
  });
  const deps: RouteDeps = {
    ...options,
    fromGateway: options.hop.fromGateway,
    authenticate: countedAuthentication(app, options),
  };
  const starts = new StartsUnderWay();
  addStartSession(app, { ...deps, starts });
  addListSessions(app, deps);
  addGetSession(app, deps);
  addReadEvents(app, deps);
  addDiagnoseSession(app, { ...options, ...deps });
  addSessionActions(app, { ...deps, policy: options.tenants.policy, snapshots: options.tenants.snapshots });
  addReadTenants(app, deps);
  addChangeTenants(app, deps);
  addApiKeys(app, deps);
  addAccessReports(app, deps);
  addStops(app, { ...options, ...deps });
  await addOpenai(app, { answerWithinMs, ...options, ...deps, starts });
  return app;
}

/** Authentication whose mismatches become events of the tenants that they are of. */
function countedAuthentication(app: Server, options: AppOptions): RouteDeps["authenticate"] {
  const { tenants, log, authenticate, refusalWindowMs: windowMs } = options;
  const tally = new RefusalTally({
    record: (reports) => recordRefusals(tenants, reports, "orchestrator"),
    log,
    ...(windowMs !== undefined && { windowMs }),
  });
  app.addHook("onClose", () => tally.close());
  return countMismatches(app, authenticate, (tenant, reason) => tally.count(tenant, reason));
}
