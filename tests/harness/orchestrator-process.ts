import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apiOf, type Api } from "./api.ts";
import { startServiceProcess, type Owner, type ServiceProcess } from "./service-process.ts";
import { stackUnderTest } from "./stack-under-test.ts";

interface Options {
  /** `main` (API and worker), `main-api`, `main-worker` or `main-codec`. */
  readonly entry?: "main" | "main-api" | "main-worker" | "main-codec";
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Used by several processes; made and removed here unless given. */
  readonly dataDir?: string;
}

/** An orchestrator of a test's own: a real process on a free port with its own ledger and task queue. */
export interface OrchestratorProcess extends ServiceProcess {
  readonly api: Api;
  readonly taskQueue: string;
  readonly dataDir: string;
}

/** Starts one against the shared stack, with variables of the test's own on top; resolves when it listens. */
export async function startOrchestrator(owner: Owner, options: Options = {}): Promise<OrchestratorProcess> {
  const stack = stackUnderTest();
  const ownDir = options.dataDir === undefined ? mkdtempSync(join(tmpdir(), "soma-orchestrator-")) : undefined;
  const dataDir = options.dataDir ?? ownDir ?? "";
  const taskQueue = options.env?.["TEMPORAL_TASK_QUEUE"] ?? `test-${crypto.randomUUID()}`;
  const name = options.entry ?? "main";
  const service = await startServiceProcess(owner, {
    name,
    file: `services/orchestrator/src/${name}.ts`,
    ...(options.args && { args: options.args }),
    env: {
      WORKER_PORT: "0",
      CODEC_PORT: "0",
      AUTH_MODE: "loopback",
      DATA_DIR: dataDir,
      TEMPORAL_HOST: stack.urls.temporal,
      TEMPORAL_TASK_QUEUE: taskQueue,
      POLICY_ENGINE_URL: stack.urls["policy-engine"],
      IDENTITY_SERVICE_URL: stack.urls["identity-service"],
      IDENTITY_CREDENTIAL_FILE: stack.credentialFile,
      SLM_BASE_URL: stack.urls.slm,
      ...options.env,
    },
    afterStop: () => {
      if (ownDir !== undefined) rmSync(ownDir, { recursive: true, force: true });
    },
  });
  return { ...service, api: apiOf(service.url), taskQueue, dataDir };
}
