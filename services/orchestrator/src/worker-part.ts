import type { Missing } from "@soma/kit/server";
import { createActivities } from "./activities/activity-registry.ts";
import type { OrchestratorConfig } from "./config.ts";
import type { OrchestratorParts } from "./orchestrator-parts.ts";
import { loadWorkerKeys } from "./permits/worker-key.ts";
import type { DeltaHub } from "./streams/delta-hub.ts";
import { buildWorkflowBundle, SessionWorker } from "./temporal/session-worker.ts";

/** Builds a worker and starts it; it polls as soon as Temporal is there. */
export async function startWorker(
  config: OrchestratorConfig,
  parts: OrchestratorParts,
  deltas: DeltaHub,
): Promise<SessionWorker> {
  const { log, sessionMetrics: metrics, ledger, policy, identity, model, link } = parts;
  const { namespace, taskQueue } = config.temporal;
  const keys = loadWorkerKeys(config.workerKeyFile);
  const activities = createActivities({
    log,
    ledger,
    policy,
    identity,
    model,
    keys,
    deltas,
    metrics,
    now: () => new Date(),
  });
  const worker = new SessionWorker({
    link,
    namespace,
    taskQueue,
    activities,
    bundle: await buildWorkflowBundle(),
    log,
  });
  worker.start();
  return worker;
}

/** A worker that does not poll yet is missing: nothing is ready while it starts (P19). */
export function missingWorker(worker: SessionWorker, taskQueue: string): Missing[] {
  return worker.isRunning() ? [] : [{ name: "worker", address: taskQueue, required: true }];
}
