import { runService } from "@soma/kit/run-service";
import { createActivities } from "../../../services/orchestrator/src/activities/activity-registry.ts";
import { startApi } from "../../../services/orchestrator/src/api-part.ts";
import { readOrchestratorConfig } from "../../../services/orchestrator/src/config.ts";
import { openParts } from "../../../services/orchestrator/src/orchestrator-parts.ts";
import { loadWorkerKeys } from "../../../services/orchestrator/src/permits/worker-key.ts";
import { DeltaWriter } from "../../../services/orchestrator/src/streams/delta-writer.ts";
import { buildWorkflowBundle, SessionWorker } from "../../../services/orchestrator/src/temporal/session-worker.ts";
import { missingWorker } from "../../../services/orchestrator/src/worker-part.ts";

const now = (): Date => new Date();

/**
 * What B3 is compared with: the orchestrator with all that it is made of, API, ledger, permits, policy, identity and
 * model, but for its design in Temporal: four remote activities in a row, nothing eager. Never a way to run sessions.
 */
await runService(async () => {
  const config = readOrchestratorConfig();
  const parts = await openParts(config);
  const { log, sessionMetrics: metrics, ledger, policy, identity, model, link, snapshots, prices } = parts;
  const { maxOutputTokens } = config.budgets;
  const deltas = new DeltaWriter(parts.deltas, log);
  const keys = loadWorkerKeys(config.workerKeyFile);
  const { conversationBytes } = config;
  const deps = {
    log,
    ledger,
    policy,
    identity,
    model,
    keys,
    deltas,
    snapshots,
    metrics,
    conversationBytes,
    prices,
    maxOutputTokens,
    now,
  };
  const worker = new SessionWorker({
    link,
    ...config.temporal,
    dataConverter: parts.dataConverter,
    activities: createActivities(deps),
    bundle: await buildWorkflowBundle(new URL("../workflows/naive-workflow.ts", import.meta.url)),
    log,
  });
  worker.start();
  const missing = () => [...parts.missing(), ...missingWorker(worker, config.temporal.taskQueue)];
  const app = await startApi(config, parts, { eager: false, missing });
  return {
    log,
    async close() {
      await app.close();
      await worker.stop();
      await deltas.close();
      await parts.close();
    },
  };
});
