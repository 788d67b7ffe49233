import type { Missing, Server } from "@soma/kit/server";
import { authenticatorFor } from "./access/authenticate.ts";
import { openHopGate } from "./access/hop/hop-gate.ts";
import { buildApp } from "./app.ts";
import type { OrchestratorConfig } from "./config.ts";
import type { OrchestratorParts } from "./orchestrator-parts.ts";
import { createEraseMemory } from "./stops/erase-memory.ts";
import { StreamRegistry } from "./streams/stream-registry.ts";
import { TenantAnnouncer } from "./tenants/tenant-announcer.ts";
import { createSessionInspector } from "./temporal/session-inspector.ts";
import { createSessionWorkflows } from "./temporal/session-workflows.ts";

interface ApiOptions {
  /** True when a worker in this process shares the connection to Temporal. */
  readonly eager: boolean;
  readonly missing: () => readonly Missing[];
}

/** Builds the API and listens. */
export async function startApi(
  config: OrchestratorConfig,
  parts: OrchestratorParts,
  options: ApiOptions,
): Promise<Server> {
  const { log, metrics, sessionMetrics, ledger, link, policy, identity, model, watch, kafka, prices } = parts;
  const { identityTenants, snapshots } = parts;
  const hop = await openHopGate({ ...config.gateway, log, registry: metrics.registry });
  const announcer = new TenantAnnouncer({ ledger, identityTenants, log });
  const app = await buildApp({
    log,
    metrics,
    missing: options.missing,
    ledger,
    workflows: createSessionWorkflows(link, config.temporal.taskQueue, options.eager),
    taskQueue: config.temporal.taskQueue,
    prices,
    memory: parts.memory !== undefined,
    temporalIsUp: () => watch.isUp("temporal"),
    backlogIsFull: () => kafka?.backlog.isFull() ?? false,
    authenticate: authenticatorFor(config.authMode, identity, hop.fromGateway),
    hop,
    streams: new StreamRegistry(ledger, parts.deltas, log, sessionMetrics.openStreams, config.maxEventStreams),
    sessionMetrics,
    inspector: createSessionInspector(link, config.temporal.namespace),
    outages: () => watch.outages(),
    ...(parts.memory && { eraseMemory: createEraseMemory({ identity, memory: parts.memory }) }),
    identity,
    model,
    tenants: { ledger, policy, identityTenants, announcer, snapshots, log, now: () => new Date() },
  });
  app.addHook("onClose", () => announcer.stop());
  const url = await app.listen({ host: config.host, port: config.port });
  announcer.start();
  log.info({ url }, "the API listens");
  return app;
}
