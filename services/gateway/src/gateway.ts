import { DependencyWatch } from "@soma/kit/dependency-watch";
import type { Logger } from "@soma/kit/logger";
import { Pool } from "undici";
import { RefusalReporter } from "./access/refusal-reporter.ts";
import type { GatewayConfig } from "./config.ts";
import { createGatewayMetrics, type GatewayMetrics } from "./gateway-metrics.ts";
import { openHopSigner, type SignHop } from "./hop/hop-signer.ts";
import { OrchestratorClient } from "./hop/orchestrator-client.ts";
import { IdentityClient } from "./identity/identity-client.ts";
import { TokenJudge } from "./identity/token-judge.ts";
import { HoldBack } from "./limits/hold-back.ts";
import { Slots } from "./limits/slots.ts";
import { StrangerLimits } from "./limits/stranger-limits.ts";
import { TokenBuckets } from "./limits/token-bucket.ts";
import { OpenStreams } from "./proxy/open-streams.ts";
import { PublicDocument } from "./public-document.ts";
import type { Route } from "./route-table.ts";
import { TenantAdmissions } from "./tenants/tenant-admissions.ts";

type Upstreams = Route["to"];

/** What the door stands on. */
export interface GatewayParts {
  readonly config: GatewayConfig;
  readonly log: Logger;
  readonly metrics: GatewayMetrics;
  readonly sign: SignHop;
  readonly tokens: TokenJudge;
  readonly identity: Pick<IdentityClient, "authorization">;
  readonly strangers: StrangerLimits;
  readonly tenants: TenantAdmissions;
  readonly rates: TokenBuckets;
  readonly holdBack: HoldBack;
  readonly underWay: Slots;
  readonly streams: Slots;
  readonly reporter: RefusalReporter;
  readonly document: PublicDocument;
  /** For requests that are passed on: nothing in them waits behind another. */
  readonly pools: Readonly<Record<Upstreams, Pool>>;
  readonly openStreams: OpenStreams;
  readonly watch: DependencyWatch<Upstreams>;
  close(): Promise<void>;
}

/** Makes the key and the clients; an upstream that is away is waited for, not failed on. @throws ConfigError */
export async function openGateway(config: GatewayConfig, log: Logger): Promise<GatewayParts> {
  const metrics = createGatewayMetrics();
  const sign = await openHopSigner(config.hopKeyFile);
  const orchestrator = new OrchestratorClient(config.orchestratorUrl.origin, sign);
  const identity = new IdentityClient(config.identityUrl.origin, config.credentialFile);
  const pools = { orchestrator: poolTo(config.orchestratorUrl), "identity-service": poolTo(config.identityUrl) };
  const reporter = new RefusalReporter({ send: (reports) => orchestrator.report(reports), metrics, log });
  const watch = new DependencyWatch<Upstreams>(
    [
      {
        name: "orchestrator",
        address: config.orchestratorUrl.origin,
        check: (signal) => orchestrator.checkHealth(signal),
      },
      {
        name: "identity-service",
        address: config.identityUrl.origin,
        check: (signal) => identity.checkHealth(signal),
      },
    ],
    { log, up: metrics.dependencyUp },
  );
  await watch.start();
  return {
    config,
    log,
    metrics,
    sign,
    tokens: new TokenJudge({ verify: (token) => identity.verify(token), metrics }),
    identity,
    strangers: new StrangerLimits(config.unknownPerMinute),
    tenants: new TenantAdmissions({ ask: (tenant) => orchestrator.admissionOf(tenant), log }),
    rates: new TokenBuckets({ maxKeys: 10_000 }),
    holdBack: new HoldBack(),
    underWay: new Slots(config.maxConnections),
    streams: new Slots(config.maxStreams),
    reporter,
    document: new PublicDocument(() => orchestrator.document()),
    pools,
    openStreams: new OpenStreams(),
    watch,
    async close() {
      await Promise.all([watch.stop(), reporter.close()]);
      await Promise.all([
        orchestrator.close(),
        identity.close(),
        ...Object.values(pools).map((pool) => pool.destroy()),
      ]);
    },
  };
}

/** No bound on connections: those who may have a request under way are counted before they come here. */
function poolTo(url: URL): Pool {
  return new Pool(url.origin, { connectTimeout: 1_000, keepAliveTimeout: 4_000, pipelining: 1 });
}
