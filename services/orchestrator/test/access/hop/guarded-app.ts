import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMetrics } from "@soma/kit/metrics";
import type { Server } from "@soma/kit/server";
import { createTestLog } from "../../../../../packages/kit/test/log-lines.ts";
import { openHopSigner, type SignHop } from "../../../../gateway/src/hop/hop-signer.ts";
import { trustLoopback } from "../../../src/access/authenticate.ts";
import { openHopGate, type HopGate } from "../../../src/access/hop/hop-gate.ts";
import { createIdentityClient } from "../../../src/adapters/identity-client.ts";
import { createModelClient } from "../../../src/adapters/model-client.ts";
import { buildApp } from "../../../src/app.ts";
import { createSessionMetrics } from "../../../src/session-metrics.ts";
import { StreamRegistry } from "../../../src/streams/stream-registry.ts";
import { tenantDepsAlone } from "../../harness/tenant-deps.ts";
import { createSessionDeps } from "../../harness/session-deps.ts";
import { openSession } from "../../harness/sessions.ts";
import { openTemporaryLedger } from "../../ledger/sqlite-store.ts";

interface GuardedApp extends AsyncDisposable {
  readonly app: Server;
  readonly hop: HopGate;
  /** Signs as the gateway does, with its own code and key. */
  readonly sign: SignHop;
  readonly folder: string;
  /** The public half of that key. */
  readonly keyFile: string;
  refused(reason: string): Promise<number>;
  readonly log: ReturnType<typeof createTestLog>;
}

/** These tests have no use for what is behind it. */
const nowhere = new URL("http://127.0.0.1:1");

/** The orchestrator's API with one session in it, on a real ledger, guarded as asked for. */
export async function buildGuardedApp(
  options: { required?: boolean; keyFile?: string | undefined; now?: () => number } = {},
): Promise<GuardedApp> {
  const folder = mkdtempSync(join(tmpdir(), "soma-hop-"));
  const sign = await openHopSigner(join(folder, "keys/hop-key"));
  const keyFile = join(folder, "keys/hop-key.pub");
  const log = createTestLog();
  const metrics = createMetrics("orchestrator");
  const sessionMetrics = createSessionMetrics(metrics.registry);
  const store = await openTemporaryLedger();
  await openSession(store.ledger);
  const sessions = createSessionDeps(store.ledger, { temporalIsUp: false });
  const { now } = options;
  const hop = await openHopGate({
    required: options.required ?? true,
    keyFile: "keyFile" in options ? options.keyFile : keyFile,
    log: log.log,
    registry: metrics.registry,
    ...(now && { now }),
  });
  const app = await buildApp({
    ...sessions.deps,
    sessionMetrics,
    log: log.log,
    metrics,
    missing: () => [],
    authenticate: trustLoopback(),
    tenants: tenantDepsAlone(store.ledger),
    hop,
    identity: createIdentityClient(nowhere, ""),
    model: createModelClient(nowhere),
    streams: new StreamRegistry(store.ledger, store.deltas, log.log, sessionMetrics.openStreams),
  });
  return {
    app,
    hop,
    sign,
    folder,
    keyFile,
    log,
    async refused(reason) {
      const text = await metrics.registry.metrics();
      return Number(new RegExp(`soma_hop_refused_total\\{reason="${reason}"[^}]*\\} (\\d+)`).exec(text)?.[1] ?? 0);
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      await sessions[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
