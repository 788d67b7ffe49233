import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultTaskQueue } from "@soma/contracts/wire-names";
import { createLogger } from "@soma/kit/logger";
import { createMetrics } from "@soma/kit/metrics";
import type { Server } from "@soma/kit/server";
import { buildApp as buildGatewayApp } from "../../services/gateway/src/app.ts";
import { readGatewayConfig } from "../../services/gateway/src/config.ts";
import { openGateway } from "../../services/gateway/src/gateway.ts";
import { buildApp as buildIdentityApp } from "../../services/identity-service/src/app.ts";
import { readSettings } from "../../services/identity-service/src/config.ts";
import { openIdentity } from "../../services/identity-service/src/identity.ts";
import { buildApp as buildMemoryApp } from "../../services/memory-gateway/src/app.ts";
import { readMemoryConfig } from "../../services/memory-gateway/src/config.ts";
import { openMemoryGateway } from "../../services/memory-gateway/src/memory-gateway.ts";
import { trustLoopback } from "../../services/orchestrator/src/access/authenticate.ts";
import { openHopGate } from "../../services/orchestrator/src/access/hop/hop-gate.ts";
import { buildApp as buildOrchestratorApp } from "../../services/orchestrator/src/app.ts";
import { Prices } from "../../services/orchestrator/src/budgets/price-table.ts";
import { buildCodecApp } from "../../services/orchestrator/src/codec/codec-app.ts";
import { createCodecMetrics } from "../../services/orchestrator/src/codec/codec-metrics.ts";
import { loadMasterKeys } from "../../services/orchestrator/src/contents/master-keys.ts";
import type { Ledger } from "../../services/orchestrator/src/ledger/ledger.ts";
import { openSqliteLedger } from "../../services/orchestrator/src/ledger/sqlite-ledger.ts";
import { createSessionMetrics } from "../../services/orchestrator/src/session-metrics.ts";
import { openDeltas } from "../../services/orchestrator/src/streams/open-deltas.ts";
import { StreamRegistry } from "../../services/orchestrator/src/streams/stream-registry.ts";
import { SessionSubjects } from "../../services/orchestrator/src/temporal/session-subjects.ts";
import { TenantSnapshots } from "../../services/orchestrator/src/tenants/tenant-snapshots.ts";
import { buildApp as buildPolicyApp } from "../../services/policy-engine/src/app.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const log = createLogger("reference", "silent");

/** The OpenAPI documents by service, of the very apps that the services run; nothing listens and nothing is asked. */
export async function openapiDocuments(): Promise<Map<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), "soma-reference-"));
  try {
    return new Map([
      ["orchestrator", await orchestratorDocument(folder)],
      ["codec-server", await codecDocument(folder)],
      ["policy-engine", await policyDocument(folder)],
      ["identity-service", await identityDocument(folder)],
      ["gateway", await gatewayDocument(folder)],
      ["memory-gateway", await memoryDocument(folder)],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function orchestratorDocument(folder: string): Promise<string> {
  const ledger = await openReferenceLedger(folder);
  const address = join(folder, "ledger.sqlite");
  const deltas = await openDeltas({ store: "sqlite", file: address, address }, ledger.contentKeys);
  const metrics = createMetrics("orchestrator");
  const sessionMetrics = createSessionMetrics(metrics.registry);
  const app = await buildOrchestratorApp({
    log,
    metrics,
    sessionMetrics,
    missing: () => [],
    ledger,
    workflows: { start: notHere, cancel: notHere, act: notHere, terminate: notHere, describe: notHere },
    taskQueue: defaultTaskQueue,
    prices: new Prices(),
    temporalIsUp: () => false,
    backlogIsFull: () => false,
    authenticate: trustLoopback(),
    hop: await openHopGate({ required: false, keyFile: undefined, log, registry: metrics.registry }),
    identity: { issue: notHere, revoke: notHere, revokeById: notHere },
    model: { listModels: notHere },
    inspector: { inspect: notHere },
    outages: () => [],
    streams: new StreamRegistry(ledger, deltas, log, sessionMetrics.openStreams),
    tenants: {
      ledger,
      policy: { evaluate: notHere },
      identityTenants: { announce: notHere, createKey: notHere, listKeys: notHere, revokeKey: notHere, close: notHere },
      announcer: { announce: notHere },
      snapshots: new TenantSnapshots(ledger),
      log,
      now: () => new Date(),
    },
  });
  const document = await documentOf(app);
  await deltas.store.close();
  await ledger.close();
  return document;
}

async function codecDocument(folder: string): Promise<string> {
  const ledger = await openReferenceLedger(folder);
  const metrics = createMetrics("orchestrator-codec");
  const app = await buildCodecApp({
    log,
    metrics,
    codecMetrics: createCodecMetrics(metrics.registry),
    namespace: "default",
    authenticate: trustLoopback(),
    uiOrigin: undefined,
    sessions: new SessionSubjects(ledger),
    keys: ledger.contentKeys,
    missing: () => [],
  });
  const document = await documentOf(app);
  await ledger.close();
  return document;
}

function openReferenceLedger(folder: string): Promise<Ledger> {
  const masterKeys = loadMasterKeys({ variable: "CONTENT_MASTER_KEY_FILE", path: join(folder, "master.key") });
  return openSqliteLedger({ file: join(folder, "ledger.sqlite"), masterKeys });
}

async function policyDocument(folder: string): Promise<string> {
  return documentOf(await buildPolicyApp({ settings: { POLICY_DIR: folder, DECISION_TTL_SECONDS: 60 }, log }));
}

async function identityDocument(folder: string): Promise<string> {
  const settings = readSettings({
    DATA_DIR: join(folder, "identity"),
    REGISTRY_FILE: join(root, "infra/identity/registry.yaml"),
  });
  const identity = await openIdentity(settings, log);
  const document = await documentOf(await buildIdentityApp(identity));
  await identity.close();
  return document;
}

/** The gateway of itself: what it lets through. To clients it shows what the orchestrator says of these routes. */
async function gatewayDocument(folder: string): Promise<string> {
  const nobody = "http://127.0.0.1:1";
  const config = readGatewayConfig({
    DATA_DIR: join(folder, "gateway"),
    ORCHESTRATOR_URL: nobody,
    IDENTITY_SERVICE_URL: nobody,
  });
  const parts = await openGateway(config, log);
  const document = await documentOf(await buildGatewayApp(parts));
  await parts.close();
  return document;
}

async function memoryDocument(folder: string): Promise<string> {
  const nobody = "http://127.0.0.1:1";
  const config = readMemoryConfig({
    DATA_DIR: join(folder, "memory"),
    IDENTITY_SERVICE_URL: nobody,
    EMBEDDING_BASE_URL: nobody,
  });
  const parts = await openMemoryGateway(config, log);
  const document = await documentOf(await buildMemoryApp(parts));
  await parts.close();
  return document;
}

async function documentOf(app: Server): Promise<string> {
  await app.ready();
  const document = `${JSON.stringify(app.swagger(), undefined, 2)}\n`;
  await app.close();
  return document;
}

/** No request is ever made here, so there is nobody to carry one to. */
function notHere(): Promise<never> {
  return Promise.reject(new Error("the reference is built without other services"));
}
