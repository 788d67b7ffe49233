import { createLogger } from "@soma/kit/logger";
import { buildApp } from "../../src/app.ts";
import { readSettings } from "../../src/config.ts";
import { openIdentity } from "../../src/identity.ts";
import { fastClock } from "./fast-clock.ts";

/** The service as `main.ts` runs it, on a clock that makes a rotation of hours one of seconds. SIGUSR2: rotate. */
const settings = readSettings();
const identity = await openIdentity(
  settings,
  createLogger("identity-service", "silent"),
  fastClock(process.env["FAST_SINCE"]),
);
const app = await buildApp(identity);
// On the fast clock the service's own 15 seconds would be an hour.
setInterval(() => void identity.refreshKeys(), 50);
process.on("SIGUSR2", () => void identity.keys.rotate());
process.stdout.write(`${await app.listen({ host: "127.0.0.1", port: 0 })}\n`);
