import { readdirSync, readFileSync } from "node:fs";

/** A process as the kernel shows it. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** Clock ticks between boot and start: with the pid it tells a process from a later one with the same pid. */
  readonly startTicks: number;
}

/** Names one process for good: a pid alone is given to another process sooner or later. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
  readonly bootId: string;
}

/** This boot's id; start ticks of different boots cannot be compared. */
export function readBootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** All running processes; those that ended and only wait to be collected by their parent are left out. */
export function readProcesses(): ProcessEntry[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
}

/** One running process, or undefined when there is none with this pid. */
function readProcess(pid: number): ProcessEntry | undefined {
  const stat = readStat(pid);
  return stat === undefined || stat.ended ? undefined : stat.entry;
}

function readStat(pid: number): { entry: ProcessEntry; ended: boolean } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // proc_pid_stat(5): the second field is the command in parentheses and may itself hold blanks and parentheses.
  const [state, parent, , session, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const entry = { pid, parent: Number(parent), session: Number(session), startTicks: Number(rest[15]) };
  return { entry, ended: state === "Z" || state === "X" };
}

/** The identity of a process of ours, even if it has just ended. @throws Error when none has this pid. */
export function identify(pid: number): ProcessIdentity {
  const stat = readStat(pid);
  if (stat === undefined) throw new Error(`no process has pid ${String(pid)}`);
  return { pid, startTicks: stat.entry.startTicks, bootId: readBootId() };
}

/** True while exactly this process runs, false when its pid is free or another's. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identity.bootId === readBootId() && readProcess(identity.pid)?.startTicks === identity.startTicks;
}
