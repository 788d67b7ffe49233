import { runService } from "@soma/kit/run-service";
import { startApi } from "./api-part.ts";
import { readOrchestratorConfig } from "./config.ts";
import { openParts } from "./orchestrator-parts.ts";

/** The API alone; workers run elsewhere. */
await runService(async () => {
  const config = readOrchestratorConfig();
  const parts = await openParts(config);
  const app = await startApi(config, parts, { eager: false, missing: parts.missing });
  return {
    log: parts.log,
    async close() {
      await app.close();
      await parts.close();
    },
  };
});
