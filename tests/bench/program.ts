import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/stack/src/layout.ts";
import { markerVariable } from "../../scripts/stack/src/processes/owned-processes.ts";
import { until } from "../harness/until.ts";

/** A program of a run; its output goes to a file, so that reading it costs the generator nothing. */
export interface Program {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Where programs run, and what they belong to. */
export interface ProgramHome {
  readonly folder: string;
  /** The stack's mark: what carries it ends with the stack, however the run ends. */
  readonly marker: string;
  /** Each program leaves a CPU profile in the folder when it ends. */
  readonly profile: boolean;
}

interface Launch {
  readonly name: string;
  /** Relative to the checkout. */
  readonly file: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts one and resolves when it has said where it listens. */
export async function startProgram(home: ProgramHome, { name, file, args = [], env = {} }: Launch): Promise<Program> {
  const log = join(home.folder, `${name}.log`);
  const profile = home.profile
    ? ["--cpu-prof", `--cpu-prof-dir=${home.folder}`, `--cpu-prof-name=${name}.cpuprofile`]
    : [];
  const output = openSync(log, "w", 0o600);
  const child = spawn(process.execPath, [...profile, join(root, file), ...args], {
    cwd: home.folder,
    stdio: ["ignore", output, output],
    env: { PATH: process.env["PATH"], [markerVariable]: home.marker, ...env },
  });
  closeSync(output);
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    const killer = setTimeout(() => child.kill("SIGKILL"), 20_000);
    await exited;
    clearTimeout(killer);
  };
  try {
    const url = await until(`${name} listens`, () => {
      const said = readFileSync(log, "utf8");
      if (child.exitCode !== null) throw new Error(`${name} ended with ${String(child.exitCode)}:\n${said}`);
      return /"url":"(http:[^"]+)"/.exec(said)?.[1];
    });
    return { url, pid: child.pid ?? 0, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
