import { runService } from "@soma/kit/run-service";
import { startApi } from "./api-part.ts";
import { readOrchestratorConfig } from "./config.ts";
import { openParts } from "./orchestrator-parts.ts";
import { startRelay } from "./relay-part.ts";
import { missingWorker, startWorker } from "./worker-part.ts";

/** API and worker in one process: one connection to Temporal, so that workflows start eagerly, and live deltas in the streams. */
await runService(async () => {
  const config = readOrchestratorConfig();
  const parts = await openParts(config);
  const worker = await startWorker(config, parts);
  const relay = startRelay(parts);
  const app = await startApi(config, parts, {
    eager: true,
    missing: () => [...parts.missing(), ...missingWorker(worker, config.temporal.taskQueue)],
  });
  return {
    log: parts.log,
    async close() {
      await app.close();
      await worker.stop();
      await relay.stop();
      await parts.close();
    },
  };
});
