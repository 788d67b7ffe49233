import { createServer } from "node:http";
import { once } from "node:events";
import { ConfigError } from "../../src/config.ts";
import { createLogger } from "../../src/logger.ts";
import { runService } from "../../src/run-service.ts";

/** A service of a test: how it starts and how it closes are its two arguments. */
const [start = "", close = ""] = process.argv.slice(2);

await runService(async () => {
  if (start === "config-error") throw new ConfigError('PORT is "x"; accepted: a whole number from 0 to 65535');
  if (start === "error") throw new Error("the disk is gone");
  if (start === "no-error") {
    // oxlint-disable-next-line typescript/only-throw-error
    throw "a text";
  }
  const log = createLogger("test", "info");
  // Holds the process open, as a real service does.
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  // Said when the start is over and signals are listened to.
  setImmediate(() => {
    log.info("it runs");
    if (start === "crash") void Promise.reject(new Error("nobody caught this"));
  });
  return {
    log,
    async close() {
      log.info("closing");
      if (close === "fails") throw new Error("cannot close");
      if (close === "hangs") await once(server, "never");
      server.close();
      await once(server, "close");
      log.info("closed");
    },
  };
});
