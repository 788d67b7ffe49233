import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { PartName, Site } from "./part.ts";
import { assertKafkaSetUp, assertSetUp, prepareFolders, root, runDirOf, stateFileOf } from "./layout.ts";
import { selectParts } from "./parts/registry.ts";
import { resolvePorts, type Ports } from "./ports.ts";
import { Guard } from "./processes/guard.ts";
import { identify } from "./processes/process-table.ts";
import { Stack } from "./stack.ts";
import { clearLeftovers } from "./state/leftovers.ts";
import { lockRun } from "./state/run-lock.ts";
import { readState, writeState } from "./state/state-file.ts";
import type { StackState } from "./state/stack-state.ts";
import { Supervisor } from "./supervise.ts";

export interface StackOptions {
  /** Names the folder `.soma/run/<name>`; one stack of a name at a time. Lower-case letters, digits, dashes. */
  readonly name: string;
  /** The parts wanted, what they need included; the usual ones when left out. */
  readonly parts?: readonly PartName[];
  /** Ports that must be these; each other one is free and chosen here. */
  readonly ports?: Partial<Ports>;
  readonly rayWorkerPorts?: Site["rayWorkerPorts"];
  /** Databases, keys, credentials; `data` in the run's folder when left out. Kept in either case. */
  readonly dataDir?: string;
  /** True: sessions recall before each answer and remember after it, which costs each of them more steps. */
  readonly memory?: boolean;
  /** Further variables for a part, over those that the stack sets. */
  readonly env?: Site["env"];
  /** Starts parts again that end by themselves, and says so here, one line each. */
  readonly supervise?: (line: string) => void;
  /** Called after each change of any part's state. */
  readonly onChange?: (state: StackState) => void;
  /** Stops the start. */
  readonly signal?: AbortSignal;
}

/** A stack whose parts were all ready. It ends with the process that started it, however that ends. */
export interface RunningStack {
  readonly state: StackState;
  readonly runDir: string;
  /** Where a part is reached: a URL, host:port for temporal and ray. @throws TypeError when the stack lacks the part. */
  url(part: PartName): string;
  logFile(part: PartName): string;
  /** Sends a signal to a part's own process; after SIGKILL and SIGTERM resolves when it has ended. */
  kill(part: PartName, signal: NodeJS.Signals): Promise<void>;
  /** Ends a part, if it runs, and starts it again on the same ports and data; Ray takes the model with it. */
  restart(part: PartName): Promise<void>;
  /** Stops everything that was started and resolves when nothing of it is left. May be called more than once. */
  stop(): Promise<void>;
}

/**
 * Starts the stack, or some of its parts, and resolves when all of them are ready.
 *
 * @example const stack = await startStack({ name: "my-test", parts: ["temporal"] }); … await stack.stop();
 * @throws NotSetUpError, AlreadyRunningError, PortTakenError before anything starts; PartFailedError, after everything
 *   that was started has been stopped.
 */
export async function startStack(options: StackOptions): Promise<RunningStack> {
  assertSetUp();
  const runDir = runDirOf(options.name);
  const unlock = await lockRun(runDir);
  try {
    const stateFile = stateFileOf(options.name);
    const crashed = readState(stateFile);
    if (crashed !== undefined) await clearLeftovers(crashed);
    const parts = selectParts(options.parts);
    if (parts.some(({ name }) => name === "kafka")) assertKafkaSetUp();
    const ports = await resolvePorts(options.ports ?? {}, new Set(parts.flatMap((part) => part.ports)));
    const dataDir = options.dataDir ?? join(runDir, "data");
    const { rayDir } = prepareFolders(runDir, dataDir);
    const site: Site = {
      root,
      runDir,
      dataDir,
      rayDir,
      ports,
      parts: new Set(parts.map(({ name }) => name)),
      memory: options.memory ?? false,
      ...(options.rayWorkerPorts && { rayWorkerPorts: options.rayWorkerPorts }),
      env: options.env ?? {},
    };
    return await run(options, parts, site, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

async function run(
  options: StackOptions,
  parts: ReturnType<typeof selectParts>,
  site: Site,
  unlock: () => void,
): Promise<RunningStack> {
  const marker = randomBytes(12).toString("hex");
  const guard = new Guard(marker);
  guard.tell({ kind: "remove", path: site.rayDir });
  const supervisor = options.supervise && new Supervisor(options.supervise);
  const startedAt = new Date().toISOString();
  const owner = identify(process.pid);
  const describe = (): StackState => ({
    name: options.name,
    marker,
    owner,
    startedAt,
    ...(site.parts.has("temporal") && { temporalUi: `http://127.0.0.1:${String(site.ports["temporal-ui"])}` }),
    rayDir: site.rayDir,
    parts: stack.states,
  });
  const stack: Stack = new Stack(parts, {
    site,
    marker,
    guard,
    onChange: () => {
      const state = describe();
      writeState(stateFileOf(options.name), state);
      options.onChange?.(state);
    },
    onLost: (name) => void supervisor?.recover(stack, name),
  });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopped ??= stack.stop().finally(async () => {
      await guard.end();
      rmSync(stateFileOf(options.name), { force: true });
      unlock();
    }));
  const interrupt = (): void => void stop();
  options.signal?.addEventListener("abort", interrupt);
  try {
    await stack.start();
  } catch (error) {
    await stop();
    throw error;
  }
  options.signal?.removeEventListener("abort", interrupt);
  return {
    get state() {
      return describe();
    },
    runDir: site.runDir,
    url: (name) => stack.runner(name).state.address,
    logFile: (name) => stack.runner(name).state.logFile,
    async kill(name, signal) {
      const runner = stack.runner(name);
      if (runner.signal(signal) && (signal === "SIGKILL" || signal === "SIGTERM")) await runner.ended();
    },
    restart: (name) => stack.restart(name),
    stop,
  };
}
