import { setTimeout as sleep } from "node:timers/promises";
import { interleave, type Rounds } from "../interleave.ts";
import { runClosedLoop, runSingly, type LoadSlice } from "../load/closed-loop.ts";
import { bareTarget, sessionTarget, type Target } from "../load/targets.ts";
import type { Plan } from "../plan.ts";
import type { Comparison, Measured } from "../result.ts";
import type { Site, Variant as SiteVariant } from "../site.ts";
import { ratiosOf, spreadOf } from "../statistics.ts";

type Variant = Exclude<SiteVariant, "raw-streams">;
const backend = "Temporal and ledger each on a SQLite file";

/** B2 and B3: ours, a bare workflow and the naive design in turn on the same server. */
export async function measureThroughput(site: Site, plan: Plan, say: (line: string) => void): Promise<Measured> {
  const targets: Readonly<Record<Variant, Target>> = {
    ours: sessionTarget((await site.variant("ours")).url),
    bare: bareTarget((await site.variant("bare")).url),
    naive: sessionTarget((await site.variant("naive")).url),
  };
  const { concurrency, rampMs, sliceMs: windowMs, patienceMs } = plan;
  const load = { concurrency, rampMs, windowMs, patienceMs };
  const atPeak = async (name: Variant): Promise<LoadSlice> => {
    const slice = await runClosedLoop(targets[name], site.programs, load);
    say(
      `  ${name}: ${slice.perSecond.toFixed(1)}/s, generator ${percent(slice.generatorShare)} of a core, others ${percent(slice.othersShare)} of the machine`,
    );
    return { ...slice, faults: [...slice.faults, ...(await backlogOf(site))] };
  };
  const alone = async (name: "ours" | "naive"): Promise<LoadSlice> => {
    const slice = await runSingly(targets[name], site.programs, plan.single);
    say(`  ${name}, one at a time: p50 ${slice.p50Ms.toFixed(1)} ms`);
    return slice;
  };
  try {
    const variants = ["ours", "bare", "naive"] as const;
    for (const name of variants) {
      say(`  warming up ${name}`);
      await runClosedLoop(targets[name], site.programs, { ...load, windowMs: plan.warmUpMs });
    }
    const peak = await interleave(variants, atPeak, plan);
    for (const name of ["ours", "naive"] as const) await runSingly(targets[name], site.programs, 2);
    const single = await interleave(["ours", "naive"] as const, alone, plan);
    return {
      comparisons: [
        lineOf(peak, "bare", ({ perSecond }) => perSecond, {
          id: "B2",
          what: `sessions at saturation, ${String(plan.concurrency)} at once, model step of 0 ms; ${backend}`,
          unit: "/s",
          other: "bare workflow",
          target: { atLeast: 0.4 },
        }),
        lineOf(peak, "bare", cpuOf, {
          id: "B2",
          what: "CPU of all programs but the generator, in the same slices",
          unit: "ms a session",
          other: "bare workflow",
        }),
        lineOf(peak, "naive", ({ perSecond }) => perSecond, {
          id: "B3",
          what: `sessions at saturation, ${String(plan.concurrency)} at once; ${backend}`,
          unit: "/s",
          other: "naive design",
          target: { atLeast: 1.6 },
        }),
        lineOf(single, "naive", ({ p50Ms }) => p50Ms, {
          id: "B3",
          what: "median time of a session, one at a time, from the start request to the last event",
          unit: "ms",
          other: "naive design",
          target: { atMost: 0.6 },
        }),
      ],
      raw: { load, peak: rawOf(peak), single: rawOf(single) },
    };
  } finally {
    await Promise.all(Object.values(targets).map((target) => target.close()));
  }
}

interface Words {
  readonly id: "B2" | "B3";
  readonly what: string;
  readonly unit: string;
  readonly other: string;
  readonly target?: NonNullable<Comparison["target"]>;
}

function lineOf<Other extends string>(
  {
    shown,
    faults,
  }: {
    readonly shown: readonly Readonly<Record<Other | "ours", LoadSlice>>[];
    readonly faults: readonly string[];
  },
  against: Other,
  figure: (slice: LoadSlice) => number,
  { other, ...words }: Words,
): Comparison {
  const pairs = shown.map((round): [number, number] => [figure(round.ours), figure(round[against])]);
  return {
    ...words,
    ours: spreadOf(pairs.map(([ours]) => ours)),
    other: { name: other, value: spreadOf(pairs.map(([, theirs]) => theirs)) },
    ratio: spreadOf(ratiosOf(pairs)),
    pairs: pairs.length,
    generatorShare: Math.max(...shown.flatMap((round) => [round.ours.generatorShare, round[against].generatorShare])),
    faults,
  };
}

function rawOf({ rounds, rejected, faults }: Rounds<string, LoadSlice>) {
  return { rounds, rejected, faults };
}

/** What one unit of work cost the machine; programs of the variants that were idle then are in it, with next to nothing. */
function cpuOf({ cpuMs }: LoadSlice): number {
  return Object.entries(cpuMs).reduce((sum, [name, ms]) => (name === "generator" ? sum : sum + ms), 0);
}

/** What still runs when all clients have their answers. */
async function backlogOf(site: Site): Promise<string[]> {
  let running = 0;
  for (let tries = 0; tries < 100; tries += 1) {
    const { count } = await site.temporal.workflow.count("ExecutionStatus = 'Running'");
    running = count;
    if (running === 0) return [];
    await sleep(100);
  }
  return [`a backlog of ${String(running)} workflows`];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
