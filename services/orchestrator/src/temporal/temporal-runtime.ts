import { DefaultLogger, Runtime, makeTelemetryFilterString } from "@temporalio/worker";
import type { Logger } from "@soma/kit/logger";

/**
 * Sets up Temporal's native runtime, once for each process: its own signal handling is off, because the service ends
 * its parts in order, and only its errors are logged, because outages are logged once by the dependency watch and not
 * by every poller.
 */
export function installTemporalRuntime(log: Logger): void {
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger("ERROR", ({ message, meta }) => {
      const error: unknown = meta?.["error"];
      log.error({ err: error instanceof Error ? error : undefined }, `temporal: ${message}`.slice(0, 300));
    }),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: "ERROR", other: "ERROR" }) } },
  });
}
