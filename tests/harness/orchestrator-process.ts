import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { apiOf, type Api } from "./api.ts";
import { stackUnderTest } from "./stack-under-test.ts";
import { until } from "./until.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Options {
  /** `main` (API and worker), `main-api`, `main-worker` or `main-codec`. */
  readonly entry?: "main" | "main-api" | "main-worker" | "main-codec";
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Used by several processes; made and removed here unless given. */
  readonly dataDir?: string;
}

/** An orchestrator of a test's own: a real process on a free port with its own ledger and task queue. */
export interface OrchestratorProcess {
  readonly api: Api;
  readonly taskQueue: string;
  readonly dataDir: string;
  readonly child: ChildProcess;
  /** Every line that it wrote, as it came. */
  readonly lines: readonly string[];
  /** Log lines as objects, those that are JSON. */
  log(): LogLine[];
  /** SIGTERM, then its exit code. */
  stop(): Promise<number | null>;
}

export interface LogLine {
  readonly level?: string;
  readonly msg?: string;
  readonly url?: string;
  readonly dependency?: string;
  readonly address?: string;
  readonly code?: string;
}

/** Where a test registers what must happen at its end, however it ends. */
export interface Owner {
  after(clean: () => Promise<void>): void;
}

/** Starts one against the shared stack, with variables of the test's own on top; resolves when it listens. */
export async function startOrchestrator(owner: Owner, options: Options = {}): Promise<OrchestratorProcess> {
  const stack = stackUnderTest();
  const ownDir = options.dataDir === undefined ? mkdtempSync(join(tmpdir(), "soma-orchestrator-")) : undefined;
  const dataDir = options.dataDir ?? ownDir ?? "";
  const taskQueue = options.env?.["TEMPORAL_TASK_QUEUE"] ?? `test-${crypto.randomUUID()}`;
  const child = spawn(
    process.execPath,
    [`services/orchestrator/src/${options.entry ?? "main"}.ts`, ...(options.args ?? [])],
    {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"],
        HOST: "127.0.0.1",
        PORT: "0",
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
    },
  );
  const stop = async (): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      const killer = setTimeout(() => child.kill("SIGKILL"), 20_000);
      await exited;
      clearTimeout(killer);
    }
    if (ownDir !== undefined) rmSync(ownDir, { recursive: true, force: true });
    return child.exitCode;
  };
  owner.after(async () => {
    await stop();
  });
  const lines: string[] = [];
  child.once("exit", (code) => {
    // What it said last is what explains the test that fails now.
    if (code !== 0)
      process.stderr.write(`the orchestrator ended with ${String(code)}\n${lines.slice(-20).join("\n")}\n`);
  });
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => lines.push(line));
  const log = (): LogLine[] =>
    lines.flatMap((line) => {
      if (!line.startsWith("{")) return [];
      const parsed: LogLine = JSON.parse(line);
      return [parsed];
    });
  const url = await until(`${options.entry ?? "main"} listens`, () => {
    if (child.exitCode !== null) throw new Error(`it ended with ${String(child.exitCode)}: ${lines.join("\n")}`);
    return log().find((line) => line.url !== undefined)?.url;
  });
  return {
    api: apiOf(url),
    taskQueue,
    dataDir,
    child,
    lines,
    log,
    stop,
  };
}
