import { createLogger } from "@soma/kit/logger";
import { runService } from "@soma/kit/run-service";
import { buildApp } from "./app.ts";
import { readSettings } from "./config.ts";
import { openIdentity } from "./identity.ts";

await runService(async () => {
  const settings = readSettings();
  const log = createLogger("identity-service", settings.LOG_LEVEL);
  const identity = await openIdentity(settings, log);
  const app = await buildApp(identity);
  const url = await app.listen({ host: settings.HOST, port: settings.PORT });
  log.info({ url, pid: process.pid }, "listening");
  return {
    log,
    close: async () => {
      await app.close();
      await identity.close();
    },
  };
});
