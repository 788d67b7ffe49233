import { createLogger } from "@soma/kit/logger";
import { runService } from "@soma/kit/run-service";
import { buildApp } from "./app.ts";
import { readMemoryConfig } from "./config.ts";
import { openMemoryGateway } from "./memory-gateway.ts";

await runService(async () => {
  const config = readMemoryConfig();
  const log = createLogger("memory-gateway", config.logLevel);
  const parts = await openMemoryGateway(config, log);
  const app = await buildApp(parts);
  const url = await app.listen({ host: config.host, port: config.port });
  log.info({ url, pid: process.pid }, "listening");
  return {
    log,
    close: async () => {
      await app.close();
      await parts.close();
    },
  };
});
