import { randomUUID } from "node:crypto";
import type { Capability } from "@soma/contracts/wire-names";
import { createMetrics } from "@soma/kit/metrics";
import type { Server } from "@soma/kit/server";
import { createTestLog } from "../../../../packages/kit/test/log-lines.ts";
import { authenticatorFor } from "../../src/access/authenticate.ts";
import { openHopGate } from "../../src/access/hop/hop-gate.ts";
import { createIdentityClient } from "../../src/adapters/identity-client.ts";
import { createIdentityTenants } from "../../src/adapters/identity-tenants.ts";
import { createModelClient } from "../../src/adapters/model-client.ts";
import { createPolicyClient } from "../../src/adapters/policy-client.ts";
import { buildApp } from "../../src/app.ts";
import { createSessionMetrics } from "../../src/session-metrics.ts";
import type { StopDeps } from "../../src/stops/stop-deps.ts";
import { StreamRegistry } from "../../src/streams/stream-registry.ts";
import { TenantAnnouncer } from "../../src/tenants/tenant-announcer.ts";
import { TenantSnapshots } from "../../src/tenants/tenant-snapshots.ts";
import { startIdentityService, startPolicyEngine, type IdentityService } from "../harness/real-services.ts";
import { createSessionDeps } from "../harness/session-deps.ts";
import { openTemporaryLedger } from "../ledger/sqlite-store.ts";

/** The real services beside the orchestrator; one set is enough for a file of tests. */
export interface Neighbours extends AsyncDisposable {
  readonly policy: URL;
  readonly identity: IdentityService;
}

export async function startNeighbours(): Promise<Neighbours> {
  const [engine, identity] = await Promise.all([startPolicyEngine(), startIdentityService()]);
  return {
    policy: engine.url,
    identity,
    async [Symbol.asyncDispose]() {
      await Promise.all([engine[Symbol.asyncDispose](), identity[Symbol.asyncDispose]()]);
    },
  };
}

interface AppOptions {
  /** Where identity is reached, when not directly. */
  readonly identityUrl?: URL;
  readonly policyUrl?: URL;
  readonly loopback?: boolean;
  /** Of a real Temporal; nobody polls there. */
  readonly temporal?: string;
  readonly eraseMemory?: StopDeps["eraseMemory"];
  /** Whether requests count as the gateway's own. */
  readonly gateway?: boolean;
}

/** The shipped API on a ledger of its own, with the real policy engine and identity service; Temporal is not there unless its address is given. */
export async function openTenantApp(neighbours: Neighbours, options: AppOptions = {}) {
  const { identity: service, policy: policyUrl } = neighbours;
  const store = await openTemporaryLedger();
  const { ledger } = store;
  const logged = createTestLog();
  const { log } = logged;
  const metrics = createMetrics("test");
  const { deps, ...link } = createSessionDeps(ledger, {
    temporalIsUp: true,
    ...(options.temporal !== undefined && { address: options.temporal }),
  });
  const policy = createPolicyClient(options.policyUrl ?? policyUrl);
  const identity = createIdentityClient(service.url, service.credentialFile);
  const identityTenants = createIdentityTenants(options.identityUrl ?? service.url, service.credentialFile);
  const snapshots = new TenantSnapshots(ledger);
  const announcer = new TenantAnnouncer({ ledger, identityTenants, log });
  const deltas = store.deltas;
  const hop = await openHopGate({ required: false, keyFile: undefined, log, registry: metrics.registry });
  const tenants = { ledger, policy, identityTenants, announcer, snapshots, log, now: () => new Date() };
  const app: Server = await buildApp({
    ...deps,
    log,
    metrics,
    missing: () => [],
    authenticate: authenticatorFor(options.loopback === true ? "loopback" : "required", identity, hop.fromGateway),
    hop: options.gateway === true ? { ...hop, fromGateway: () => true } : hop,
    identity,
    stopTimes: { askingMs: 5_000, endingMs: 300 },
    ...(options.eraseMemory && { eraseMemory: options.eraseMemory }),
    model: createModelClient(new URL("http://127.0.0.1:1")),
    streams: new StreamRegistry(
      ledger,
      deltas,
      log,
      createSessionMetrics(createMetrics("streams").registry).openStreams,
    ),
    tenants,
  });
  const send = async (
    token: string | undefined,
    method: "GET" | "POST" | "PATCH" | "DELETE",
    url: string,
    payload?: object,
    headers: Record<string, string> = {},
  ) =>
    app.inject({
      method,
      url,
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), "x-request-id": "same", ...headers },
      ...(payload !== undefined && { payload }),
    });
  return {
    app,
    ledger,
    deps,
    stopDeps: { ledger, identity, tenants },
    announcer,
    snapshots,
    deltas: deltas.hub,
    log: logged,
    send,
    /** A token as the user gets it, with these scopes. */
    login: (tenant_id: string, user_id: string, capabilities: readonly Capability[]): Promise<string> =>
      service.login({ tenant_id, user_id, capabilities }),
    platform: (): Promise<string> =>
      service.login({
        tenant_id: "platform",
        user_id: "platform-admin",
        capabilities: ["platform.manage", "tenant.read", "key.manage", "session.start", "session.read", "ledger.read"],
      }),
    /** Only what stands in a tenant's own ledger, by type. */
    types: async (tenant: string): Promise<string[]> =>
      (await ledger.tenants.readEvents({ tenant, after: 0, limit: 1000 })).map(({ type }) => type),
    async [Symbol.asyncDispose]() {
      await app.close();
      await Promise.all([policy.close(), identity.close(), identityTenants.close(), link[Symbol.asyncDispose]()]);
      await store[Symbol.asyncDispose]();
    },
  };
}

export type TenantApp = Awaited<ReturnType<typeof openTenantApp>>;

/** One identity service answers all tests of a file: a tenant of its own for each. */
export function newTenant(): string {
  return `tenant-${randomUUID().slice(0, 13)}`;
}
