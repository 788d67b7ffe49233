import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundleWithSourceMap } from "@temporalio/worker";
import type { DataConverter } from "@temporalio/common";
import type { Logger } from "@soma/kit/logger";
import type { SessionActivities } from "../activities/session-activities.ts";
import { failureConverterPath } from "./data-converters.ts";
import type { TemporalLink } from "./temporal-link.ts";
import { claimDeployment, type WorkerVersion } from "./worker-deployment.ts";

const workflowRegistry = new URL("../workflows/workflow-registry.ts", import.meta.url);

/** Workflow code for the sandbox, built once for each process; of the registry of workflows unless given another. */
export function buildWorkflowBundle(registry: URL = workflowRegistry): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    logger: new DefaultLogger("ERROR"),
    workflowsPath: fileURLToPath(registry),
    failureConverterPath,
  });
}

interface SessionWorkerOptions {
  readonly link: TemporalLink;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly activities: SessionActivities;
  readonly bundle: WorkflowBundleWithSourceMap;
  /** Unset: an unversioned worker, which takes any session. */
  readonly version?: WorkerVersion;
  readonly dataConverter: DataConverter;
  readonly log: Logger;
}

const restartMs = 2_000;

/**
 * A worker that waits for Temporal, runs, and is made again when it fails, until it is stopped. Stopping lets running
 * activities end within a bound; what is cut off then is taken over by another worker.
 */
export class SessionWorker {
  readonly #options: SessionWorkerOptions;
  readonly #stop = new AbortController();
  #worker: Worker | undefined;
  #loop: Promise<void> | undefined;

  constructor(options: SessionWorkerOptions) {
    this.#options = options;
  }

  /** True while it polls. */
  isRunning(): boolean {
    return this.#worker?.getState() === "RUNNING";
  }

  /** Returns at once; the worker runs as soon as Temporal is there. */
  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    if (this.#worker && this.isRunning()) this.#worker.shutdown();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { log, taskQueue } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        this.#worker = await this.#create();
        const running = this.#worker.run();
        // Stopped while it was being made: only a worker that ran lets go of the connection.
        if (signal.aborted) this.#worker.shutdown();
        else log.info({ task_queue: taskQueue }, "the worker polls");
        const claimed = this.#claim();
        await running;
        await claimed;
      } catch (error) {
        if (signal.aborted) return;
        log.error({ task_queue: taskQueue, err: error }, "the worker ended; it is started again");
        await sleep(restartMs, undefined, { signal }).catch(() => undefined);
      } finally {
        this.#worker = undefined;
      }
    }
  }

  /** The first version of a deployment takes new sessions by itself; a later one waits for `promote-worker`. */
  async #claim(): Promise<void> {
    const { link, namespace, version, log } = this.#options;
    if (!version) return;
    try {
      const current = await claimDeployment(link, namespace, version, this.#stop.signal);
      const where = current === version.buildId ? "here" : `to build ${current}, until this one is promoted`;
      log.info({ version: version.buildId }, `new sessions come ${where}`);
    } catch (error) {
      if (!this.#stop.signal.aborted) log.warn({ err: error }, "the worker's version could not be made current");
    }
  }

  async #create(): Promise<Worker> {
    const { link, namespace, taskQueue, activities, bundle, version, dataConverter } = this.#options;
    const { connection } = await link.connected();
    return Worker.create({
      connection,
      namespace,
      taskQueue,
      activities,
      workflowBundle: bundle,
      ...(version && {
        workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: "PINNED" },
      }),
      dataConverter,
      shutdownGraceTime: "5s",
      shutdownForceTime: "10s",
      // A cancellation travels back with a heartbeat, so this bounds how long a canceled generation goes on.
      maxHeartbeatThrottleInterval: "1s",
      defaultHeartbeatThrottleInterval: "1s",
      // What a dead worker had in its cache waits this long for it before any worker may take it.
      stickyQueueScheduleToStartTimeout: "3s",
      maxConcurrentActivityTaskExecutions: 200,
      maxConcurrentLocalActivityExecutions: 200,
    });
  }
}
