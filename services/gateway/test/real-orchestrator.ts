import type { Deltas } from "../../orchestrator/src/streams/open-deltas.ts";
import type { IncomingHttpHeaders } from "node:http";
import { createMetrics, type ServiceMetrics } from "@soma/kit/metrics";
import type { Server } from "@soma/kit/server";
import { createTestLog } from "../../../packages/kit/test/log-lines.ts";
import { authenticatorFor } from "../../orchestrator/src/access/authenticate.ts";
import { openHopGate } from "../../orchestrator/src/access/hop/hop-gate.ts";
import { createIdentityClient } from "../../orchestrator/src/adapters/identity-client.ts";
import { createModelClient } from "../../orchestrator/src/adapters/model-client.ts";
import { buildApp } from "../../orchestrator/src/app.ts";
import type { Ledger } from "../../orchestrator/src/ledger/ledger.ts";
import { createSessionMetrics } from "../../orchestrator/src/session-metrics.ts";
import { StreamRegistry } from "../../orchestrator/src/streams/stream-registry.ts";
import { tenantDepsAlone } from "../../orchestrator/test/harness/tenant-deps.ts";
import { createSessionDeps } from "../../orchestrator/test/harness/session-deps.ts";
import type { IdentityService } from "../../orchestrator/test/harness/real-services.ts";
import { openTemporaryLedger } from "../../orchestrator/test/ledger/sqlite-store.ts";

export interface RealOrchestrator extends AsyncDisposable {
  readonly app: Server;
  readonly url: string;
  readonly ledger: Ledger;
  readonly deltas: Deltas["hub"];
  readonly metrics: ServiceMetrics;
  /** Every request that reached it for a public route, as it came. */
  readonly seen: SeenRequest[];
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

interface Options {
  readonly identity: IdentityService;
  /** Where the gateway's public key is. */
  readonly keyFile: string | undefined;
  readonly port?: number;
  readonly required?: boolean;
  /** Milliseconds since 1970, for hop tokens. */
  readonly now?: () => number;
}

/**
 * The orchestrator's API as it is shipped, on a real ledger and a real identity service, that serves nobody but the
 * gateway. There is no Temporal: what is there can be read and streamed, and nothing starts.
 */
export async function startOrchestrator(options: Options): Promise<RealOrchestrator> {
  const { log } = createTestLog();
  const store = await openTemporaryLedger();
  const sessions = createSessionDeps(store.ledger, { temporalIsUp: false });
  const identity = createIdentityClient(options.identity.url, options.identity.credentialFile);
  const model = createModelClient(new URL("http://127.0.0.1:1"));
  const metrics = createMetrics("orchestrator");
  const sessionMetrics = createSessionMetrics(metrics.registry);
  const deltas = store.deltas;
  const { required = true, keyFile, now } = options;
  const app = await buildApp({
    ...sessions.deps,
    sessionMetrics,
    log,
    metrics,
    missing: () => [],
    authenticate: authenticatorFor("required", identity, () => true),
    tenants: tenantDepsAlone(store.ledger),
    hop: await openHopGate({ required, keyFile, log, registry: metrics.registry, ...(now && { now }) }),
    identity,
    // Nothing runs here, so nothing asks for a model but a list of them.
    model,
    streams: new StreamRegistry(store.ledger, deltas, log, sessionMetrics.openStreams),
  });
  const seen: SeenRequest[] = [];
  app.server.on("request", ({ method = "", url: path = "", headers }) => {
    // What the gateway asks on its own account is not what somebody sent.
    if (!/^\/(health|openapi\.json|v1\/access-reports|v1\/tenants\/[^/]+\/admission)$/.test(path))
      seen.push({ method, path, headers });
  });
  const url = await app.listen({ host: "127.0.0.1", port: options.port ?? 0 });
  return {
    app,
    url,
    ledger: store.ledger,
    deltas: deltas.hub,
    metrics,
    seen,
    async [Symbol.asyncDispose]() {
      await app.close();
      await Promise.all([identity.close(), model.close(), sessions[Symbol.asyncDispose]()]);
      await store[Symbol.asyncDispose]();
    },
  };
}
