import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Server } from "@soma/kit/server";
import { createTestLog, type LogUnderTest } from "../../../packages/kit/test/log-lines.ts";
import { startIdentityService, type IdentityService } from "../../orchestrator/test/harness/real-services.ts";
import { buildApp } from "../src/app.ts";
import { readGatewayConfig } from "../src/config.ts";
import { openGateway, type GatewayParts } from "../src/gateway.ts";
import { startOrchestrator, type RealOrchestrator } from "./real-orchestrator.ts";

export interface RealGateway extends AsyncDisposable {
  readonly app: Server;
  readonly url: string;
  readonly parts: GatewayParts;
  readonly log: LogUnderTest;
}

/** A folder for one gateway's key, gone with the test. */
export function temporaryDataDir(): Disposable & { readonly path: string; readonly keyFile: string } {
  const path = mkdtempSync(join(tmpdir(), "soma-gateway-"));
  return {
    path,
    keyFile: join(path, "keys/hop-key.pub"),
    [Symbol.dispose]: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** The gateway as it is shipped, on a free port. */
export async function startGateway(settings: Readonly<Record<string, string>>): Promise<RealGateway> {
  const log = createTestLog();
  const config = readGatewayConfig({ PORT: "0", ...settings });
  const parts = await openGateway(config, log.log);
  const app = await buildApp(parts);
  const url = await app.listen({ host: config.host, port: config.port });
  return {
    app,
    url,
    parts,
    log,
    async [Symbol.asyncDispose]() {
      await app.close();
      await parts.close();
    },
  };
}

/** The whole way: a gateway, an orchestrator that serves nobody else, and the identity service that both ask. */
export interface Door extends AsyncDisposable {
  readonly identity: IdentityService;
  readonly orchestrator: RealOrchestrator;
  readonly gateway: RealGateway;
  /** A token of the demo tenant's operator. */
  readonly token: string;
  request(path: string, init?: RequestInit): Promise<Response>;
  /** Refusals that were counted, by reason. */
  refusals(): Promise<Record<string, number>>;
}

/** Starts them; `env` is set for the gateway on top. */
export async function openDoor(env: Readonly<Record<string, string>> = {}): Promise<Door> {
  const dataDir = temporaryDataDir();
  const identity = await startIdentityService();
  const orchestrator = await startOrchestrator({ identity, keyFile: dataDir.keyFile });
  const gateway = await startGateway({
    ORCHESTRATOR_URL: orchestrator.url,
    IDENTITY_SERVICE_URL: identity.url.origin,
    IDENTITY_CREDENTIAL_FILE: join(identity.credentialsDir, "gateway"),
    DATA_DIR: dataDir.path,
    ...env,
  });
  const token = await identity.login({
    user_id: "user-demo",
    tenant_id: "tenant-demo",
    capabilities: ["session.start", "session.read", "session.cancel"],
  });
  return {
    identity,
    orchestrator,
    gateway,
    token,
    request: (path, init = {}) => {
      const headers = new Headers(init.headers);
      if (!headers.has("authorization")) headers.set("authorization", `Bearer ${token}`);
      return fetch(gateway.url + path, { ...init, headers });
    },
    async refusals() {
      const { values } = await gateway.parts.metrics.refusals.get();
      return Object.fromEntries(values.map(({ labels, value }) => [String(labels.reason), value]));
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await orchestrator[Symbol.asyncDispose]();
      await identity[Symbol.asyncDispose]();
      dataDir[Symbol.dispose]();
    },
  };
}
