import { createLogger } from "@soma/kit/logger";
import { runService } from "@soma/kit/run-service";
import { buildApp } from "./app.ts";
import { readSettings } from "./config.ts";

await runService(async () => {
  const settings = readSettings();
  const log = createLogger("policy-engine", settings.LOG_LEVEL);
  const app = await buildApp({ settings, log });
  const url = await app.listen({ port: settings.PORT, host: settings.HOST });
  log.info({ url, file: settings.POLICY_DIR }, "policy engine is listening");
  return { log, close: () => app.close() };
});
