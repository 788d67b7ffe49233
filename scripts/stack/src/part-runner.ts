import { setTimeout as delay } from "node:timers/promises";
import type { Part, Site } from "./part.ts";
import { PartProcess } from "./processes/part-process.ts";
import type { PartState, PartStatus } from "./state/stack-state.ts";
import { PartFailedError } from "./stack-error.ts";

interface RunnerOptions {
  readonly part: Part;
  readonly site: Site;
  readonly marker: string;
  readonly logFile: string;
  /** Called as soon as the process exists. */
  readonly onStart: (process: PartProcess) => void;
  /** Called after each change of `state`. */
  readonly onChange: () => void;
  /** Called when the process ends though nobody here asked for it, and it was ready before. */
  readonly onLost: () => void;
}

const checkEveryMs = 150;
const checkWithinMs = 5_000;

/** One part of a running stack: its process, if it has one, and its state as others see it. */
export class PartRunner {
  readonly part: Part;
  readonly #options: RunnerOptions;
  #state: PartState;
  #process: PartProcess | undefined;

  constructor(options: RunnerOptions) {
    this.part = options.part;
    this.#options = options;
    this.#state = {
      name: options.part.name,
      status: "waiting",
      since: new Date().toISOString(),
      address: options.part.address(options.site),
      logFile: options.logFile,
      restarts: 0,
    };
  }

  get state(): PartState {
    return this.#state;
  }

  /**
   * Starts the process and resolves when it is ready.
   * @throws PartFailedError when it ends or is not ready in time; what was started is ended then. AbortError when stopped.
   */
  async start(stop: AbortSignal): Promise<void> {
    const { part, site, marker, logFile } = this.#options;
    stop.throwIfAborted();
    const begin = performance.now();
    this.#set("starting");
    const started = await PartProcess.start(part.launch(site), logFile, `${marker}/${part.name}`).catch(
      (error: unknown) => this.#fail(error instanceof Error ? error.message : String(error)),
    );
    this.#process = started;
    this.#options.onStart(started);
    this.#state = { ...this.#state, process: started.identity };
    try {
      await this.#waitUntilReady(started, stop);
    } catch (error) {
      await started.end(part.stopWithinMs);
      if (this.#process === started) this.#process = undefined;
      throw error;
    }
    this.#state = { ...this.#state, readyAfterMs: Math.round(performance.now() - begin) };
    this.#set("ready");
    void started.exited.then((how) => this.#lost(started, how));
  }

  async #waitUntilReady(started: PartProcess, stop: AbortSignal): Promise<void> {
    const { part, site } = this.#options;
    const over = AbortSignal.timeout(part.deadlineMs);
    let missing = "it did not answer";
    while (!started.ended) {
      stop.throwIfAborted();
      if (over.aborted) this.#fail(`was not ready within ${String(part.deadlineMs / 1000)} s: ${missing}`);
      const signal = AbortSignal.any([stop, over, AbortSignal.timeout(checkWithinMs)]);
      const answer = await part.check(site, signal);
      // Something else may answer at its place while it has ended.
      if (answer === undefined && !started.ended) return;
      missing = answer ?? missing;
      await Promise.race([delay(checkEveryMs), started.exited]);
    }
    this.#fail(`${await started.exited} before it was ready`);
  }

  #fail(reason: string): never {
    const { part, logFile } = this.#options;
    this.#set("failed", reason);
    throw new PartFailedError({ part: part.name, reason, logFile, advice: part.advice });
  }

  #lost(which: PartProcess, how: string): void {
    if (this.#process !== which || this.#state.status !== "ready") return;
    this.#set("ended", how);
    this.#options.onLost();
  }

  /** Ends the process with all that it started; resolves when nothing of it is left. */
  async end(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running !== undefined) {
      this.#set("stopping");
      await running.end(this.part.stopWithinMs);
    }
    if (this.#state.status !== "failed") this.#set("stopped");
  }

  /** Sends a signal to the process, as a fault or an operator would; false when it is gone. */
  signal(signal: NodeJS.Signals): boolean {
    return this.#process?.signal(signal) ?? false;
  }

  /** Resolves when the process, if there is one, has ended by itself or by a signal. */
  async ended(): Promise<void> {
    await this.#process?.exited;
  }

  /** Notes that it is about to be started again. */
  announceRestart(note: string): void {
    this.#state = { ...this.#state, restarts: this.#state.restarts + 1 };
    this.#set("restarting", note);
  }

  /** Notes that it will not be started again. */
  giveUp(note: string): void {
    this.#set("failed", note);
  }

  #set(status: PartStatus, note?: string): void {
    const { note: _old, ...rest } = this.#state;
    this.#state = { ...rest, status, since: new Date().toISOString(), ...(note !== undefined && { note }) };
    this.#options.onChange();
  }
}
