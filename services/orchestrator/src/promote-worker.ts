import { parseArgs } from "node:util";
import { ConfigError } from "@soma/kit/config";
import { createLogger } from "@soma/kit/logger";
import { readWorkerConfig } from "./config.ts";
import { buildWorkflowBundle } from "./temporal/session-worker.ts";
import { installTemporalRuntime } from "./temporal/temporal-runtime.ts";
import { TemporalLink } from "./temporal/temporal-link.ts";
import { buildIdOf, promoteVersion } from "./temporal/worker-deployment.ts";
import { version } from "./version.ts";

const withinMs = 60_000;

/**
 * Sends new sessions to a version of the workers; running ones stay where they are: `promote-worker [--build-id ID]`.
 * Without an id it is the build of this checkout. To be run when the new workers poll, and again with the old id to go
 * back.
 */
try {
  const { values } = parseArgs({ options: { "build-id": { type: "string" } } });
  const { temporal, worker, logLevel } = readWorkerConfig(undefined);
  if (worker.deploymentName === undefined)
    throw new ConfigError("WORKER_DEPLOYMENT_NAME is not set; accepted: the name that the workers were started with");
  installTemporalRuntime(createLogger("promote-worker", logLevel));
  const buildId = values["build-id"] ?? worker.buildId ?? buildIdOf(version, (await buildWorkflowBundle()).code);
  // No payload passes here, so no codec is needed.
  const link = new TemporalLink(temporal, {});
  const signal = AbortSignal.timeout(withinMs);
  try {
    await Promise.race([link.connected(), failOn(signal)]);
    await promoteVersion(link, temporal.namespace, { deploymentName: worker.deploymentName, buildId }, signal);
  } finally {
    await link.close();
  }
  process.stdout.write(`new sessions go to ${worker.deploymentName} ${buildId}; running ones stay with their code\n`);
  process.exit(0);
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(error instanceof ConfigError ? `${reason}\n` : `nothing was promoted: ${reason}\n`);
  process.exit(error instanceof ConfigError ? 78 : 1);
}

function failOn(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error(`no answer within ${String(withinMs / 1000)} s`)), {
      once: true,
    });
  });
}
