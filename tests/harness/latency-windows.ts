import { setTimeout as sleep } from "node:timers/promises";

const windows = 5;
const perWindow = 40;
/** Well below what a tenant without settings may send. */
const everyMs = 66;
/** What two cores that others use, too, may add to any request: less than this says nothing. */
const floorMs = 25;

/** The median of several windows' 99th percentiles, in milliseconds: one hiccup of the machine is not a finding. */
export async function p99Of(request: () => Promise<unknown>): Promise<number> {
  const ofWindows: number[] = [];
  for (let window = 0; window < windows; window += 1) {
    const latencies: number[] = [];
    for (let count = 0; count < perWindow; count += 1) {
      const begin = performance.now();
      await request();
      const latency = performance.now() - begin;
      latencies.push(latency);
      await sleep(Math.max(0, everyMs - latency));
    }
    ofWindows.push(latencies.toSorted((one, other) => one - other)[Math.ceil(perWindow * 0.99) - 1] ?? 0);
  }
  return ofWindows.toSorted((one, other) => one - other)[Math.floor(windows / 2)] ?? 0;
}

/** True when `during` is at most twice `before`, or both are too small to tell. */
export function withinTwice(before: number, during: number): boolean {
  return during <= 2 * Math.max(before, floorMs);
}
