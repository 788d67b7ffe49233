import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { identify, type ProcessIdentity } from "./process-table.ts";
import { killOwned, markerVariable, sendSignal } from "./owned-processes.ts";

/** What to run. The environment is exactly this one. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A started part: the leader of a session of its own, with all that it starts in turn. */
export class PartProcess {
  readonly identity: ProcessIdentity;
  /** Resolves with how it ended, in words; never rejects. */
  readonly exited: Promise<string>;
  readonly #marker: string;
  #ended = false;

  private constructor(identity: ProcessIdentity, marker: string, exited: Promise<string>) {
    this.identity = identity;
    this.#marker = marker;
    this.exited = exited.then((how) => {
      this.#ended = true;
      return how;
    });
  }

  /**
   * Starts it with both outputs appended to `logFile`.
   * @throws Error when the command cannot be run.
   */
  static async start(launch: Launch, logFile: string, marker: string): Promise<PartProcess> {
    const log = openSync(logFile, "a");
    let child: ChildProcess;
    try {
      child = spawn(launch.command, launch.args, {
        cwd: launch.cwd,
        env: { ...launch.env, [markerVariable]: marker },
        stdio: ["ignore", log, log],
        detached: true,
      });
    } finally {
      closeSync(log);
    }
    const exited = new Promise<string>((resolve) => {
      child.once("exit", (code, signal) => {
        resolve(signal === null ? `ended with exit code ${String(code)}` : `was ended by ${signal}`);
      });
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (error) => {
        reject(new Error(`cannot run ${launch.command}: ${error.message}`));
      });
    });
    if (child.pid === undefined) throw new Error(`${launch.command} has no pid`);
    return new PartProcess(identify(child.pid), marker, exited);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Sends a signal to the leader alone; false when it is gone. */
  signal(signal: NodeJS.Signals): boolean {
    return !this.#ended && sendSignal(this.identity.pid, signal);
  }

  /** SIGTERM to the leader, a bounded wait, then SIGKILL for everything of the part that is left. */
  async end(graceMs: number): Promise<void> {
    if (this.signal("SIGTERM")) {
      const timer = new Promise((resolve) => setTimeout(resolve, graceMs).unref());
      await Promise.race([this.exited, timer]);
    }
    await this.sweep();
    await this.exited;
  }

  /** Kills what is left of the part; its leader may be gone already. */
  async sweep(): Promise<void> {
    await killOwned({ marker: this.#marker, leaders: [this.identity] });
  }
}
