import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { readBootId, readProcesses, type ProcessEntry, type ProcessIdentity } from "./process-table.ts";

/** What tells a stack's processes from all others of the machine. */
export interface Ownership {
  /**
   * Begins the value of {@link markerVariable} in the environment of all that the stack starts: `<stack>` owns
   * `<stack>/<part>` of each part.
   */
  readonly marker: string;
  /** The processes that were started directly; each leads a session of its own. */
  readonly leaders: readonly ProcessIdentity[];
}

/** The environment variable that carries the marker. */
export const markerVariable = "SOMA_STACK";

/**
 * All running processes of a stack: those that carry its marker, those in a session that one of its leaders began, and
 * the descendants of both. Three ways, because Ray's workers overwrite their environment with their title, and a
 * child may begin a session of its own or lose its parent.
 */
export function findOwned(ownership: Ownership): ProcessEntry[] {
  const processes = readProcesses();
  const byPid = new Map(processes.map((entry) => [entry.pid, entry]));
  const bootId = readBootId();
  const sessions = new Map<number, number>();
  for (const leader of ownership.leaders) {
    const now = byPid.get(leader.pid);
    // Another process has the pid now: the session of that number is not ours.
    if (leader.bootId !== bootId || (now !== undefined && now.startTicks !== leader.startTicks)) continue;
    sessions.set(leader.pid, leader.startTicks);
  }
  const owned = new Set<number>();
  for (const entry of processes) {
    const since = sessions.get(entry.session);
    if ((since !== undefined && entry.startTicks >= since) || carriesMarker(entry.pid, ownership.marker))
      owned.add(entry.pid);
  }
  addDescendants(processes, owned);
  owned.delete(process.pid);
  return processes.filter((entry) => owned.has(entry.pid));
}

function addDescendants(processes: readonly ProcessEntry[], owned: Set<number>): void {
  for (let before = -1; before !== owned.size;) {
    before = owned.size;
    for (const entry of processes) if (owned.has(entry.parent)) owned.add(entry.pid);
  }
}

function carriesMarker(pid: number, marker: string): boolean {
  try {
    const environment = readFileSync(`/proc/${String(pid)}/environ`, "latin1").split("\0");
    const own = `${markerVariable}=${marker}`;
    return environment.some((entry) => entry === own || entry.startsWith(`${own}/`));
  } catch {
    return false; // ended meanwhile, or another user's: not ours
  }
}

/**
 * Kills all processes of a stack and waits until none is left; again and again, since what is killed may just have
 * started another. Processes that the stack's owner still wants must not be running.
 *
 * @throws Error naming the pids that are left after `withinMs`.
 */
export async function killOwned(ownership: Ownership, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const left = findOwned(ownership);
    if (left.length === 0) return;
    if (performance.now() > deadline)
      throw new Error(`could not end the processes ${left.map(({ pid }) => pid).join(", ")}`);
    for (const { pid } of left) sendSignal(pid, "SIGKILL");
    await delay(20);
  }
}

/** Sends a signal; false when the process is gone. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
