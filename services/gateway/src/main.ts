import { createLogger } from "@soma/kit/logger";
import { runService } from "@soma/kit/run-service";
import { buildApp } from "./app.ts";
import { readGatewayConfig } from "./config.ts";
import { openGateway } from "./gateway.ts";

await runService(async () => {
  const config = readGatewayConfig();
  const log = createLogger("gateway", config.logLevel);
  const gateway = await openGateway(config, log);
  const app = await buildApp(gateway);
  const url = await app.listen({ host: config.host, port: config.port });
  log.info({ url, pid: process.pid }, "listening");
  return {
    log,
    close: async () => {
      await app.close();
      await gateway.close();
    },
  };
});
