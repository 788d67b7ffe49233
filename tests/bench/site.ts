import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, Connection } from "@temporalio/client";
import { runDirOf } from "../../scripts/stack/src/layout.ts";
import { startStack } from "../../scripts/stack/src/start-stack.ts";
import { until } from "../harness/until.ts";
import { startProgram, type Program, type ProgramHome } from "./program.ts";

export type Variant = "ours" | "bare" | "naive" | "raw-streams";
/** Programs that are started for one slice: the orchestrator in one process, its API alone, and the raw server. */
export type FreshProgram = "main" | "main-api" | "raw-streams";

/** The servers of a run: real ones, but for the model, which answers at once and is load equipment. */
export interface Site {
  readonly folder: string;
  readonly temporal: Client;
  readonly temporalMetricsUrl: string;
  /** Process ids by name, of all that runs for us now, the generator included. */
  readonly programs: Map<string, number>;
  /** Starts one of the variants, or gives that which runs. */
  variant(name: Variant): Promise<Program>;
  /** Starts a program for one slice, on data in a folder of this name; the caller stops it. */
  fresh(name: FreshProgram, data: string): Promise<Program>;
  close(): Promise<void>;
}

/** Starts Temporal, policy engine and identity service on free ports with data of their own. */
export async function openSite(name: string, profile: boolean): Promise<Site> {
  const runDir = runDirOf(name);
  rmSync(runDir, { recursive: true, force: true });
  const metricsPort = await freePort();
  const stack = await startStack({
    name,
    parts: ["temporal", "policy-engine", "identity-service"],
    ports: { "temporal-metrics": metricsPort },
  });
  const folder = join(runDir, "bench");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const home: ProgramHome = { folder, marker: stack.state.marker, profile };
  const programs = new Map([["generator", process.pid]]);
  for (const part of stack.state.parts) if (part.process !== undefined) programs.set(part.name, part.process.pid);
  const started: Program[] = [];
  const begin = async (launch: Parameters<typeof startProgram>[1]): Promise<Program> => {
    const program = await startProgram(home, launch);
    started.unshift(program);
    programs.set(launch.name, program.pid);
    return program;
  };
  const temporalAddress = stack.url("temporal");
  const connection = await Connection.connect({ address: temporalAddress });
  const model = await begin({ name: "instant-model", file: "tests/bench/programs/instant-model.ts" });
  const environmentOf = (data: string): Readonly<Record<string, string>> => ({
    HOST: "127.0.0.1",
    PORT: "0",
    AUTH_MODE: "loopback",
    DATA_DIR: join(folder, data),
    TEMPORAL_HOST: temporalAddress,
    TEMPORAL_TASK_QUEUE: `bench-${data}`,
    POLICY_ENGINE_URL: stack.url("policy-engine"),
    IDENTITY_SERVICE_URL: stack.url("identity-service"),
    IDENTITY_CREDENTIAL_FILE: join(runDir, "data/credentials/orchestrator"),
    SLM_BASE_URL: model.url,
    MAX_EVENT_STREAMS: "20000",
  });
  const orchestrator = (variant: Variant, file: string): Promise<Program> =>
    begin({ name: variant, file, env: environmentOf(variant) });
  const launches: Readonly<Record<Variant, () => Promise<Program>>> = {
    "raw-streams": () => begin({ name: "raw-streams", file: "tests/bench/programs/raw-streams.ts" }),
    ours: () => orchestrator("ours", "services/orchestrator/src/main.ts"),
    naive: () => orchestrator("naive", "tests/bench/programs/naive-orchestrator.ts"),
    bare: () =>
      begin({ name: "bare", file: "tests/bench/programs/bare-server.ts", args: ["--temporal", temporalAddress] }),
  };
  const variants = new Map<Variant, Promise<Program>>();
  return {
    folder,
    temporal: new Client({ connection }),
    temporalMetricsUrl: `http://127.0.0.1:${String(metricsPort)}/metrics`,
    programs,
    async variant(which) {
      const running = variants.get(which);
      if (running) return running;
      const program = launches[which]();
      variants.set(which, program);
      const { url } = await program;
      if (which === "ours" || which === "naive")
        await until(`${which} is ready`, async () => ((await isReady(url)) ? true : undefined));
      // Its first polls at Temporal.
      await sleep(500);
      return program;
    },
    async fresh(which, data) {
      const file =
        which === "raw-streams" ? "tests/bench/programs/raw-streams.ts" : `services/orchestrator/src/${which}.ts`;
      const program = await startProgram(home, { name: `${data}-${which}`, file, env: environmentOf(data) });
      const key = `${data}-${which}`;
      programs.set(key, program.pid);
      const stopped: Program = {
        ...program,
        async stop() {
          programs.delete(key);
          await program.stop();
        },
      };
      started.unshift(stopped);
      if (which === "main")
        await until(`${key} is ready`, async () => ((await isReady(program.url)) ? true : undefined));
      return stopped;
    },
    async close() {
      for (const program of started) await program.stop();
      await connection.close();
      await stack.stop();
    },
  };
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/ready`);
  const { status }: { status: string } = JSON.parse(await answer.text());
  return status === "ready";
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
