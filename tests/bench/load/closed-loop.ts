import { setTimeout as sleep } from "node:timers/promises";
import { cpuBetween, readCpu, type CpuUse } from "../cpu-account.ts";
import type { Slice } from "../interleave.ts";
import { quantile } from "../statistics.ts";
import type { Target } from "./targets.ts";

/** What the load of one slice came to, within its window. */
export interface LoadSlice extends Slice {
  readonly perSecond: number;
  readonly completed: number;
  readonly windowMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of one core. */
  readonly generatorShare: number;
  /** Of the machine. */
  readonly busyShare: number;
  /** CPU milliseconds for each unit of work, by program. */
  readonly cpuMs: Readonly<Record<string, number>>;
}

interface Load {
  readonly concurrency: number;
  readonly rampMs: number;
  readonly windowMs: number;
  readonly patienceMs: number;
}

/** A generator that is busier than 80 % of its core measures itself. */
export function generatorFault(share: number, max = 0.8): string | undefined {
  return share > max ? `the generator used ${(share * 100).toFixed(0)} % of its core` : undefined;
}

/**
 * Keeps as many units of work under way as asked, each begun when another ended: peak throughput. What is counted ended
 * within a window that begins when the loop is in full swing and ends before it stops, so that neither edge counts.
 */
export async function runClosedLoop(
  target: Target,
  programs: ReadonlyMap<string, number>,
  { concurrency, rampMs, windowMs, patienceMs }: Load,
): Promise<LoadSlice> {
  const ended: { at: number; tookMs: number; id: string }[] = [];
  const failures: string[] = [];
  const stop = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted && failures.length < 10) {
      const begin = performance.now();
      try {
        const id = await target.runOne();
        const at = performance.now();
        ended.push({ at, tookMs: at - begin, id });
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const loops = Array.from({ length: concurrency }, loop);
  await sleep(rampMs);
  const cpuBefore = readCpu(programs);
  const from = performance.now();
  await sleep(windowMs);
  const giveUp = performance.now() + patienceMs;
  while (!ended.some(({ at }) => at >= from) && failures.length === 0 && performance.now() < giveUp) await sleep(20);
  const cpu = cpuBetween(cpuBefore, readCpu(programs));
  const to = performance.now();
  stop.abort();
  await Promise.all(loops);
  const wrong = await checkAll(target, ended);
  const counted = ended.filter(({ at }) => at >= from && at < to).map(({ tookMs }) => tookMs);
  return sliceOf(counted, to - from, cpu, [...failures.slice(0, 3), ...wrong]);
}

/** One after another, for the time that one takes when nothing else goes on. */
export async function runSingly(
  target: Target,
  programs: ReadonlyMap<string, number>,
  count: number,
): Promise<LoadSlice> {
  const cpuBefore = readCpu(programs);
  const from = performance.now();
  const ended: { tookMs: number; id: string }[] = [];
  const failures: string[] = [];
  for (let index = 0; index < count && failures.length === 0; index += 1) {
    const begin = performance.now();
    try {
      const id = await target.runOne();
      ended.push({ tookMs: performance.now() - begin, id });
    } catch (error) {
      failures.push(String(error));
    }
  }
  const windowMs = performance.now() - from;
  const cpu = cpuBetween(cpuBefore, readCpu(programs));
  const wrong = await checkAll(target, ended);
  return sliceOf(
    ended.map(({ tookMs }) => tookMs),
    windowMs,
    cpu,
    [...failures, ...wrong],
  );
}

/** After the window: the audit events of each unit of work, by the offline verifier. */
async function checkAll(target: Target, ended: readonly { readonly id: string }[]): Promise<string[]> {
  const wrong: string[] = [];
  for (let begin = 0; begin < ended.length; begin += 16) {
    const answers = await Promise.all(ended.slice(begin, begin + 16).map(({ id }) => target.checkOne(id)));
    wrong.push(...answers.filter((answer) => answer !== undefined));
  }
  return wrong.length === 0 ? [] : [`${String(wrong.length)} of ${String(ended.length)}: ${wrong[0] ?? ""}`];
}

function sliceOf(tookMs: readonly number[], windowMs: number, cpu: CpuUse, failures: readonly string[]): LoadSlice {
  const sorted = tookMs.toSorted((a, b) => a - b);
  const generatorShare = (cpu.programs.get("generator") ?? 0) / (windowMs / 1000);
  const faults = [...failures];
  if (sorted.length === 0) faults.push("nothing ended within the window");
  const limit = generatorFault(generatorShare);
  if (limit !== undefined) faults.push(limit);
  return {
    faults,
    othersShare: cpu.othersShare,
    perSecond: sorted.length / (windowMs / 1000),
    completed: sorted.length,
    windowMs,
    p50Ms: sorted.length === 0 ? Number.NaN : quantile(sorted, 0.5),
    p99Ms: sorted.length === 0 ? Number.NaN : quantile(sorted, 0.99),
    generatorShare,
    busyShare: cpu.busyShare,
    cpuMs: Object.fromEntries(
      [...cpu.programs].map(([name, seconds]) => [name, (seconds * 1000) / Math.max(1, sorted.length)]),
    ),
  };
}
