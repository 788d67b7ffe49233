import { parseArgs } from "node:util";
import { buildServer } from "@soma/kit/server";
import { runService } from "@soma/kit/run-service";
import { readWorkerConfig } from "./config.ts";
import { openParts } from "./orchestrator-parts.ts";
import { startRelay } from "./relay-part.ts";
import { version } from "./version.ts";
import { missingWorker, startWorker } from "./worker-part.ts";

/** A worker alone: `main-worker --task-queue somagent.session.workflows`, with probes and metrics on `WORKER_PORT`. */
await runService(async () => {
  const { values } = parseArgs({ options: { "task-queue": { type: "string" } } });
  const config = readWorkerConfig(values["task-queue"]);
  const parts = await openParts(config);
  const { log, metrics } = parts;
  const worker = await startWorker(config, parts);
  const relay = startRelay(parts);
  const missing = () => [...parts.missing(), ...missingWorker(worker, config.temporal.taskQueue)];
  const probes = await buildServer({
    service: "orchestrator-worker",
    version,
    description: "Probes and metrics of a worker.",
    log,
    metrics,
    missing,
  });
  const url = await probes.listen({ host: config.host, port: config.workerPort });
  log.info({ url }, "probes and metrics listen");
  return {
    log,
    async close() {
      await worker.stop();
      await relay.stop();
      await probes.close();
      await parts.close();
    },
  };
});
