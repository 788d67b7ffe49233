import { runService } from "@soma/kit/run-service";
import { startApi } from "./api-part.ts";
import { readOrchestratorConfig } from "./config.ts";
import { openParts } from "./orchestrator-parts.ts";
import { DeltaHub } from "./streams/delta-hub.ts";

/** The API alone; workers run elsewhere. */
await runService(async () => {
  const config = readOrchestratorConfig();
  const parts = await openParts(config);
  const app = await startApi(config, parts, { deltas: new DeltaHub(), eager: false, missing: parts.missing });
  return {
    log: parts.log,
    async close() {
      await app.close();
      await parts.close();
    },
  };
});
