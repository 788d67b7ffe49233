import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { childEnvironment } from "../../scripts/stack/src/child-environment.ts";
import { root, runDirOf } from "../../scripts/stack/src/layout.ts";
import { usualPartNames, type PartName } from "../../scripts/stack/src/part.ts";
import { PartProcess } from "../../scripts/stack/src/processes/part-process.ts";
import { startStack, type RunningStack } from "../../scripts/stack/src/start-stack.ts";
import { until } from "../harness/until.ts";
import { LedgerFile } from "./ledger-file.ts";
import { Recorder } from "./recorder.ts";

/** So many tokens an answer has at most: the model is a real one, and it is small. */
const maxOutputTokens = 48;

/** A whole stack with fresh data, a second worker beside it, and a witness before each target. */
export interface World {
  readonly stack: RunningStack;
  readonly worker: WorkerProcess;
  readonly recorders: readonly Recorder[];
  readonly temporal: Client;
  readonly ledger: LedgerFile;
  stop(): Promise<void>;
}

interface WorldOptions {
  readonly name: string;
  readonly kafka: boolean;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export async function startWorld(options: WorldOptions): Promise<World> {
  const recorders = [new Recorder("policy-engine"), new Recorder("identity-service"), new Recorder("slm")] as const;
  try {
    for (const recorder of recorders) await recorder.listen();
    return await startBehind(recorders, options);
  } catch (error) {
    // A start that was stopped or failed leaves no witness behind, which would keep the program from ending.
    for (const recorder of recorders) await recorder.close();
    throw error;
  }
}

async function startBehind(
  recorders: readonly [policy: Recorder, identity: Recorder, model: Recorder],
  { name, kafka, say, signal }: WorldOptions,
): Promise<World> {
  const runDir = runDirOf(name);
  rmSync(join(runDir, "data"), { recursive: true, force: true });
  const [policy, identity, model] = recorders;
  const targets = { POLICY_ENGINE_URL: policy.url, IDENTITY_SERVICE_URL: identity.url, SLM_BASE_URL: model.url };
  const parts: readonly PartName[] = [...usualPartNames, ...(kafka ? (["kafka"] as const) : [])];
  const seen = new Map<string, string>();
  const stack = await startStack({
    name,
    parts,
    signal,
    env: { orchestrator: targets, "policy-engine": { POLICY_DIR: writePacks(runDir) } },
    onChange: (state) => {
      for (const part of state.parts) {
        if (seen.get(part.name) !== part.status) say(`${part.name}: ${part.status}`);
        seen.set(part.name, part.status);
      }
    },
  });
  policy.upstream = stack.url("policy-engine");
  identity.upstream = stack.url("identity-service");
  model.upstream = stack.url("slm");
  const worker = new WorkerProcess(stack, targets, kafka);
  const connection = Connection.lazy({ address: stack.url("temporal") });
  const ledger = new LedgerFile(join(runDir, "data/orchestrator/ledger.sqlite"));
  const stop = async (): Promise<void> => {
    await worker.end();
    ledger.close();
    await connection.close();
    await stack.stop();
    for (const recorder of recorders) await recorder.close();
  };
  try {
    await worker.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { stack, worker, recorders, temporal: new Client({ connection }), ledger, stop };
}

/** The packs of the local stack with shorter answers, and nothing else changed. */
function writePacks(runDir: string): string {
  const folder = join(runDir, "policy");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(join(root, "infra/policy"), folder, { recursive: true });
  for (const file of readdirSync(folder)) {
    const path = join(folder, file);
    const pack = readFileSync(path, "utf8");
    writeFileSync(path, pack.replaceAll(/max_output_tokens: \d+/g, `max_output_tokens: ${String(maxOutputTokens)}`));
  }
  return folder;
}

/** A worker alone, on the ledger, the key and the queue of the stack's orchestrator; the stack's guard ends it, too. */
export class WorkerProcess {
  readonly #stack: RunningStack;
  readonly #settings: Readonly<Record<string, string>>;
  readonly logFile: string;
  #process: PartProcess | undefined;

  constructor(stack: RunningStack, targets: Readonly<Record<string, string>>, kafka: boolean) {
    const data = join(stack.runDir, "data");
    this.#stack = stack;
    this.logFile = join(stack.runDir, "logs/worker.log");
    this.#settings = {
      HOST: "127.0.0.1",
      WORKER_PORT: "0",
      AUTH_MODE: "loopback",
      DATA_DIR: join(data, "orchestrator"),
      TEMPORAL_HOST: stack.url("temporal"),
      IDENTITY_CREDENTIAL_FILE: join(data, "credentials/orchestrator"),
      ...(kafka && { KAFKA_BOOTSTRAP_SERVERS: stack.url("kafka") }),
      ...targets,
    };
  }

  get pid(): number | undefined {
    return this.#process?.ended === false ? this.#process.identity.pid : undefined;
  }

  /** Starts it and resolves when it polls. */
  async start(): Promise<void> {
    const before = this.#count();
    this.#process = await PartProcess.start(
      {
        command: process.execPath,
        args: ["services/orchestrator/src/main-worker.ts"],
        cwd: root,
        env: childEnvironment(this.#settings),
      },
      this.logFile,
      `${this.#stack.state.marker}/worker`,
    );
    const started = this.#process;
    await until("the second worker polls", () => {
      if (started.ended) throw new Error(`the second worker ended; its log is ${this.logFile}`);
      return this.#count() > before ? true : undefined;
    });
  }

  /** Kills it and resolves when it is gone. */
  async kill(): Promise<void> {
    this.#process?.signal("SIGKILL");
    await this.#process?.exited;
  }

  async end(): Promise<void> {
    await this.#process?.end(16_000);
  }

  /** Where its metrics are, as its log says. */
  get url(): string | undefined {
    return [...this.#log().matchAll(/"url":"(http:[^"]+)"/g)].at(-1)?.[1];
  }

  #count(): number {
    return [...this.#log().matchAll(/the worker polls/g)].length;
  }

  #log(): string {
    try {
      return readFileSync(this.logFile, "utf8");
    } catch {
      return "";
    }
  }
}
