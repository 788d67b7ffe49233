import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { apiOf, type Api } from "./api.ts";
import { startOrchestrator, type OrchestratorProcess } from "./orchestrator-process.ts";
import { startServiceProcess, type Owner, type ServiceProcess } from "./service-process.ts";
import { stackUnderTest } from "./stack-under-test.ts";

/** A gateway and an orchestrator that serves nobody but it, both with tokens, as they run outside of a laptop. */
export interface Door {
  readonly api: Api;
  readonly gateway: ServiceProcess;
  readonly orchestrator: OrchestratorProcess;
  /** True while the gateway's process is there. */
  alive(): boolean;
  /** What its `/metrics` say under this name, without labels or with them. */
  metric(name: string): Promise<number>;
}

/** Starts both against the shared stack, with variables of the test's own on top. */
export async function openDoor(
  owner: Owner,
  env: { readonly gateway?: Record<string, string>; readonly orchestrator?: Record<string, string> } = {},
): Promise<Door> {
  const stack = stackUnderTest();
  const dataDir = mkdtempSync(join(tmpdir(), "soma-gateway-"));
  const orchestrator = await startOrchestrator(owner, {
    env: {
      AUTH_MODE: "required",
      REQUIRE_GATEWAY: "true",
      GATEWAY_PUBLIC_KEY_FILE: join(dataDir, "keys/hop-key.pub"),
      ...env.orchestrator,
    },
  });
  const gateway = await startServiceProcess(owner, {
    name: "gateway",
    file: "services/gateway/src/main.ts",
    env: {
      DATA_DIR: dataDir,
      ORCHESTRATOR_URL: orchestrator.url,
      IDENTITY_SERVICE_URL: stack.urls["identity-service"],
      IDENTITY_CREDENTIAL_FILE: join(dirname(stack.credentialFile), "gateway"),
      ...env.gateway,
    },
    afterStop: () => {
      rmSync(dataDir, { recursive: true, force: true });
    },
  });
  return {
    api: apiOf(gateway.url),
    gateway,
    orchestrator,
    alive: () => gateway.child.exitCode === null && gateway.child.signalCode === null,
    async metric(name) {
      const text = await (await fetch(`${gateway.url}/metrics`)).text();
      const line = text.split("\n").find((candidate) => candidate.startsWith(name));
      return Number(line?.slice(line.lastIndexOf(" ") + 1) ?? 0);
    },
  };
}
