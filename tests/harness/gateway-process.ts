import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startOrchestrator, type OrchestratorProcess } from "./orchestrator-process.ts";
import type { Owner } from "./service-process.ts";
import { stackUnderTest } from "./stack-under-test.ts";
import { until } from "./until.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A door of a test's own: a gateway process, and an orchestrator process that serves nobody else. */
export interface OwnDoor {
  readonly url: string;
  readonly orchestrator: OrchestratorProcess;
  /** True while the gateway's process is there. */
  alive(): boolean;
  /** What its `/metrics` say under this name, without labels or with them. */
  metric(name: string): Promise<number>;
}

interface Options {
  readonly gateway?: Readonly<Record<string, string>>;
  readonly orchestrator?: Readonly<Record<string, string>>;
}

/** Starts both against the shared stack; the gateway resolves the orchestrator's hop key by a folder of their own. */
export async function startDoor(owner: Owner, options: Options = {}): Promise<OwnDoor> {
  const stack = stackUnderTest();
  const dataDir = mkdtempSync(join(tmpdir(), "soma-gateway-"));
  owner.after(() => {
    rmSync(dataDir, { recursive: true, force: true });
    return Promise.resolve();
  });
  const orchestrator = await startOrchestrator(owner, {
    env: {
      AUTH_MODE: "required",
      REQUIRE_GATEWAY: "true",
      GATEWAY_PUBLIC_KEY_FILE: join(dataDir, "keys/hop-key.pub"),
      ...options.orchestrator,
    },
  });
  const child = spawn(process.execPath, ["services/gateway/src/main.ts"], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      PATH: process.env["PATH"],
      HOST: "127.0.0.1",
      PORT: "0",
      DATA_DIR: dataDir,
      ORCHESTRATOR_URL: orchestrator.api.url,
      IDENTITY_SERVICE_URL: stack.urls["identity-service"],
      IDENTITY_CREDENTIAL_FILE: join(dirname(stack.credentialFile), "gateway"),
      ...options.gateway,
    },
  });
  owner.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
  });
  let url: string | undefined;
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (url === undefined && line.startsWith("{")) ({ url } = JSON.parse(line));
  });
  await until("the gateway listens", () => {
    if (child.exitCode !== null) throw new Error(`it ended with ${String(child.exitCode)}`);
    return url;
  });
  const address = url ?? "";
  return {
    url: address,
    orchestrator,
    alive: () => child.exitCode === null && child.signalCode === null,
    async metric(name) {
      const text = await (await fetch(`${address}/metrics`)).text();
      const line = text.split("\n").find((candidate) => candidate.startsWith(name));
      return Number(line?.slice(line.lastIndexOf(" ") + 1) ?? 0);
    },
  };
}

/** A token for the orchestrator's API, as a user of the registry gets it. */
export async function loginAs(user: string, tenant: string, capabilities: readonly string[]): Promise<string> {
  const stack = stackUnderTest();
  const secret = readFileSync(join(dirname(stack.credentialFile), "login"), "utf8").trim();
  const answer = await fetch(`${stack.urls["identity-service"]}/v1/tokens/issue`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
    body: JSON.stringify({ user_id: user, tenant_id: tenant, capabilities, ttl_seconds: 3_600 }),
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`the login was answered with ${String(answer.status)}: ${text}`);
  const { token }: { token: string } = JSON.parse(text);
  return token;
}
