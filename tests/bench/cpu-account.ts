import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks a second in /proc, on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** CPU time so far, in seconds: of the machine, and of each program that belongs to the run. */
export interface CpuReading {
  readonly total: number;
  readonly busy: number;
  readonly programs: ReadonlyMap<string, number>;
}

/** `programs` maps names to process ids. @throws Error when one of them has ended */
export function readCpu(programs: ReadonlyMap<string, number>): CpuReading {
  return readMachine(new Map([...programs].map(([name, pid]) => [name, readProcess(pid).own])));
}

/** As one program: this process and all that it started, those that have ended included. */
export function readOwnTree(): CpuReading {
  const children = Map.groupBy(
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => tryRead(Number(name)) ?? []),
    ({ parent }) => parent,
  );
  const sum = ({ pid, own, ofEnded }: ProcessTimes): number =>
    (children.get(pid) ?? []).reduce((total, child) => total + sum(child), own + ofEnded);
  return readMachine(new Map([["own tree", sum(readProcess(process.pid))]]));
}

function readMachine(programs: ReadonlyMap<string, number>): CpuReading {
  const [, ...fields] = (readFileSync("/proc/stat", "utf8").split("\n")[0] ?? "").split(/\s+/);
  // proc_stat(5): user nice system idle iowait irq softirq steal; guest time is counted in user already.
  const ticks = fields.slice(0, 8).map(Number);
  const total = ticks.reduce((sum, one) => sum + one, 0);
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0);
  return { total: total / ticksPerSecond, busy: (total - idle) / ticksPerSecond, programs };
}

export interface CpuUse {
  /** Share of the whole machine that was busy, and that was busy with programs that are not of this run. */
  readonly busyShare: number;
  readonly othersShare: number;
  /** Seconds by program. */
  readonly programs: ReadonlyMap<string, number>;
}

export function cpuBetween(before: CpuReading, after: CpuReading): CpuUse {
  const total = after.total - before.total;
  const busy = after.busy - before.busy;
  const programs = new Map([...after.programs].map(([name, now]) => [name, now - (before.programs.get(name) ?? now)]));
  const own = [...programs.values()].reduce((sum, one) => sum + one, 0);
  return { busyShare: busy / total, othersShare: Math.max(0, busy - own) / total, programs };
}

interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  /** Seconds of its own, and of its children that have ended and were waited for. */
  readonly own: number;
  readonly ofEnded: number;
}

function readProcess(pid: number): ProcessTimes {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
  // proc_pid_stat(5): after the command in parentheses come state (field 3), parent (4) … utime (14), stime, cutime, cstime.
  const fields = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const seconds = (from: number): number => ((fields[from] ?? 0) + (fields[from + 1] ?? 0)) / ticksPerSecond;
  return { pid, parent: fields[1] ?? 0, own: seconds(11), ofEnded: seconds(13) };
}

/** Nothing for one that has just ended. */
function tryRead(pid: number): ProcessTimes | undefined {
  try {
    return readProcess(pid);
  } catch {
    return undefined;
  }
}
