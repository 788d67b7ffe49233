import { createLogger, type Logger } from "@soma/kit/logger";
import { createMetrics, type ServiceMetrics } from "@soma/kit/metrics";
import { DependencyWatch, type WatchedDependency } from "@soma/kit/dependency-watch";
import type { Missing } from "@soma/kit/server";
import type { DataConverter } from "@temporalio/common";
import type { Dependency } from "@soma/contracts/wire-names";
import { isActivityRetry } from "./activities/is-retry.ts";
import { guardClients } from "./adapters/guarded-clients.ts";
import { createIdentityClient, type IdentityClient } from "./adapters/identity-client.ts";
import { createIdentityTenants, type IdentityTenants } from "./adapters/identity-tenants.ts";
import { createMemoryClient, type MemoryClient } from "./adapters/memory-client.ts";
import { createModelClient, type ModelClient } from "./adapters/model-client.ts";
import { createPolicyClient, type PolicyClient } from "./adapters/policy-client.ts";
import { loadPrices, type Prices } from "./budgets/price-table.ts";
import type { OrchestratorConfig } from "./config.ts";
import { loadMasterKeys } from "./contents/master-keys.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { openLedger } from "./ledger/open-ledger.ts";
import { openKafka, type KafkaParts } from "./relay/open-kafka.ts";
import { createSessionMetrics, type SessionMetrics } from "./session-metrics.ts";
import { openDeltas, type Deltas } from "./streams/open-deltas.ts";
import { createDataConverters } from "./temporal/data-converters.ts";
import { TenantSnapshots } from "./tenants/tenant-snapshots.ts";
import { installTemporalRuntime } from "./temporal/temporal-runtime.ts";
import { TemporalLink } from "./temporal/temporal-link.ts";

/** What API and worker both stand on; in one process they share it. */
export interface OrchestratorParts {
  readonly log: Logger;
  readonly metrics: ServiceMetrics;
  readonly sessionMetrics: SessionMetrics;
  readonly ledger: Ledger;
  readonly deltas: Deltas;
  readonly link: TemporalLink;
  /** The worker's: what it writes to Temporal is encrypted for the session's subject. */
  readonly dataConverter: DataConverter;
  readonly policy: PolicyClient;
  readonly identity: IdentityClient;
  readonly identityTenants: IdentityTenants;
  readonly snapshots: TenantSnapshots;
  readonly model: ModelClient;
  readonly prices: Prices;
  /** Undefined where no memory gateway is named. */
  readonly memory: MemoryClient | undefined;
  /** Undefined where no brokers are named. */
  readonly kafka: KafkaParts | undefined;
  readonly watch: DependencyWatch<Dependency>;
  /** What is not there; `required` for what nothing works without. */
  readonly missing: () => Missing[];
  close(): Promise<void>;
}

const required: ReadonlySet<Dependency> = new Set(["temporal", "ledger"]);

/** Opens the ledger and makes the clients; an upstream that is away is waited for, not failed on. */
export async function openParts(config: OrchestratorConfig): Promise<OrchestratorParts> {
  const log = createLogger("orchestrator", config.logLevel);
  const metrics = createMetrics("orchestrator");
  const sessionMetrics = createSessionMetrics(metrics.registry);
  installTemporalRuntime(log);
  const prices = loadPrices(config.budgets.pricesFile);
  const ledger = await openLedger(config.ledger, loadMasterKeys(config.masterKeys));
  const deltas = await openDeltas(config.ledger, ledger.contentKeys);
  const converters = createDataConverters(ledger, config.temporal.namespace);
  const link = new TemporalLink(config.temporal, converters.client);
  const { policy, identity, model, memory } = guardClients(
    {
      policy: createPolicyClient(config.policyUrl),
      identity: createIdentityClient(config.identityUrl, config.identityCredentialFile),
      model: createModelClient(config.modelUrl),
      ...(config.memoryUrl && { memory: createMemoryClient(config.memoryUrl) }),
    },
    { metrics: sessionMetrics, isRetry: isActivityRetry },
  );
  const identityTenants = createIdentityTenants(config.identityUrl, config.identityCredentialFile);
  const kafka = config.kafka && (await openKafka(config.kafka, { ledger, log, registry: metrics.registry }));
  const dependencies: WatchedDependency<Dependency>[] = [
    { name: "temporal", address: config.temporal.address, check: (signal) => link.check(signal) },
    { name: "ledger", address: config.ledger.address, check: () => ledger.checkWritable() },
    { name: "policy-engine", address: config.policyUrl.origin, check: (signal) => policy.checkHealth(signal) },
    { name: "identity-service", address: config.identityUrl.origin, check: (signal) => identity.checkHealth(signal) },
    { name: "slm", address: config.modelUrl.origin, check: (signal) => model.checkHealth(signal) },
    ...(memory === undefined
      ? []
      : [
          {
            name: "memory-gateway" as const,
            address: config.memoryUrl?.origin ?? "",
            check: (signal: AbortSignal) => memory.checkHealth(signal),
          },
        ]),
    ...(kafka === undefined
      ? []
      : [
          {
            name: "kafka" as const,
            address: kafka.address,
            check: (signal: AbortSignal) => kafka.forwarder.check(signal),
          },
        ]),
  ];
  const watch = new DependencyWatch(dependencies, { log, up: metrics.dependencyUp });
  await watch.start();
  return {
    log,
    metrics,
    sessionMetrics,
    ledger,
    deltas,
    link,
    dataConverter: converters.worker,
    policy,
    identity,
    identityTenants,
    snapshots: new TenantSnapshots(ledger),
    model,
    prices,
    memory,
    kafka,
    watch,
    missing: () => watch.missing().map(({ name, address }) => ({ name, address, required: required.has(name) })),
    async close() {
      await watch.stop();
      await Promise.all([
        link.close(),
        policy.close(),
        identity.close(),
        identityTenants.close(),
        model.close(),
        memory?.close(),
        kafka?.close(),
      ]);
      await deltas.store.close();
      await ledger.close();
    },
  };
}
