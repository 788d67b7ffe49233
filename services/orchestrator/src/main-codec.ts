import { createLogger } from "@soma/kit/logger";
import { DependencyWatch } from "@soma/kit/dependency-watch";
import { createMetrics } from "@soma/kit/metrics";
import { runService } from "@soma/kit/run-service";
import { requireToken, trustLoopback } from "./access/authenticate.ts";
import { createIdentityClient } from "./adapters/identity-client.ts";
import { buildCodecApp } from "./codec/codec-app.ts";
import { createCodecMetrics } from "./codec/codec-metrics.ts";
import { readOrchestratorConfig } from "./config.ts";
import { loadMasterKeys } from "./contents/master-keys.ts";
import { openLedger } from "./ledger/open-ledger.ts";
import { SessionSubjects } from "./temporal/session-subjects.ts";

/** The codec server: Temporal's UI and CLI ask it to decrypt what they show. It needs the ledger and its master key. */
await runService(async () => {
  const config = readOrchestratorConfig();
  const log = createLogger("orchestrator-codec", config.logLevel);
  const metrics = createMetrics("orchestrator-codec");
  const ledger = await openLedger(config.ledger, loadMasterKeys(config.masterKeys));
  const identity = createIdentityClient(config.identityUrl, config.identityCredentialFile);
  const tokens = config.authMode === "required";
  const watch = new DependencyWatch<"ledger" | "identity-service">(
    [
      { name: "ledger", address: config.ledger.address, check: () => ledger.checkWritable() },
      ...(tokens
        ? [
            {
              name: "identity-service" as const,
              address: config.identityUrl.origin,
              check: (signal: AbortSignal) => identity.checkHealth(signal),
            },
          ]
        : []),
    ],
    { log, up: metrics.dependencyUp },
  );
  await watch.start();
  const app = await buildCodecApp({
    log,
    metrics,
    codecMetrics: createCodecMetrics(metrics.registry),
    namespace: config.temporal.namespace,
    authenticate: tokens ? requireToken(identity) : trustLoopback(),
    uiOrigin: config.codec.uiOrigin,
    sessions: new SessionSubjects(ledger),
    keys: ledger.contentKeys,
    missing: () => watch.missing(),
  });
  const url = await app.listen({ host: config.host, port: config.codec.port });
  log.info({ url }, "the codec server listens");
  return {
    log,
    async close() {
      await app.close();
      await watch.stop();
      await identity.close();
      await ledger.close();
    },
  };
});
