import type { Missing } from "@soma/kit/server";
import { createActivities } from "./activities/activity-registry.ts";
import type { OrchestratorConfig } from "./config.ts";
import type { OrchestratorParts } from "./orchestrator-parts.ts";
import { loadWorkerKeys } from "./permits/worker-key.ts";
import { RetentionSweep } from "./retention/retention-sweep.ts";
import { SessionReconciler } from "./reconciler/session-reconciler.ts";
import { DeltaWriter } from "./streams/delta-writer.ts";
import { createSessionWorkflows } from "./temporal/session-workflows.ts";
import { buildWorkflowBundle, SessionWorker } from "./temporal/session-worker.ts";
import { buildIdOf } from "./temporal/worker-deployment.ts";
import { version as release } from "./version.ts";

/** A worker and what goes with each: the reconciler of the session index, and the sweep of what is too old. */
export interface WorkerPart {
  /** True while it polls. */
  isRunning(): boolean;
  stop(): Promise<void>;
}

const now = (): Date => new Date();

/** Builds a worker and starts it; it polls as soon as Temporal is there. */
export async function startWorker(config: OrchestratorConfig, parts: OrchestratorParts): Promise<WorkerPart> {
  const { log, sessionMetrics: metrics, ledger, policy, identity, model, link, snapshots, prices } = parts;
  const { maxOutputTokens } = config.budgets;
  const { namespace, taskQueue } = config.temporal;
  const keys = loadWorkerKeys(config.workerKeyFile);
  const deltas = new DeltaWriter(parts.deltas, log);
  const activities = createActivities({
    log,
    ledger,
    policy,
    identity,
    model,
    ...(parts.memory && { memory: parts.memory }),
    keys,
    deltas,
    snapshots,
    metrics,
    conversationBytes: config.conversationBytes,
    prices,
    maxOutputTokens,
    now,
  });
  const bundle = await buildWorkflowBundle();
  const { deploymentName, buildId = buildIdOf(release, bundle.code) } = config.worker;
  const worker = new SessionWorker({
    link,
    namespace,
    taskQueue,
    activities,
    bundle,
    dataConverter: parts.dataConverter,
    log,
    ...(deploymentName !== undefined && { version: { deploymentName, buildId } }),
  });
  const workflows = createSessionWorkflows(link, taskQueue, false);
  const reconciler = new SessionReconciler({ ledger, workflows, log, metrics, now });
  const sweep = new RetentionSweep({ ledger, log, now, delivered: config.kafka !== undefined });
  worker.start();
  reconciler.start();
  sweep.start();
  return {
    isRunning: () => worker.isRunning(),
    async stop() {
      await Promise.all([reconciler.stop(), sweep.stop(), worker.stop()]);
      await deltas.close();
    },
  };
}

/** A worker that does not poll yet is missing: nothing is ready while it starts (P19). */
export function missingWorker(worker: Pick<WorkerPart, "isRunning">, taskQueue: string): Missing[] {
  return worker.isRunning() ? [] : [{ name: "worker", address: taskQueue, required: true }];
}
