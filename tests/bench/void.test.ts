import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { cpuBetween, readOwnTree, type CpuReading } from "./cpu-account.ts";
import { interleave, type Slice } from "./interleave.ts";
import { generatorFault, runClosedLoop, runSingly } from "./load/closed-loop.ts";
import type { Target } from "./load/targets.ts";
import { benchmarksPage } from "./report.ts";
import type { Comparison } from "./result.ts";
import { plans } from "./plan.ts";
import { ratiosOf, spreadOf } from "./statistics.ts";

const programs = new Map([["generator", process.pid]]);
const load = { concurrency: 2, rampMs: 5, windowMs: 60, patienceMs: 0 };
const soon = (): Promise<string> => new Promise((resolve) => void setTimeout(() => resolve("id"), 5));
const whole: Target = { runOne: soon, checkOne: async () => undefined, close: async () => undefined };

/** A variant's slices with these shares of others, one after the other. */
function noisy(shares: readonly number[]): () => Promise<Slice> {
  let slices = 0;
  return async () => ({ faults: [], othersShare: shares[slices++] ?? 0 });
}

function reading(total: number, busy: number, ours: number): CpuReading {
  return { total, busy, programs: new Map([["ours", ours]]) };
}

test("a slice has no faults when all went well, and counts what ended in its window alone", async () => {
  const slice = await runClosedLoop(whole, programs, load);
  assert.deepEqual(slice.faults, []);
  assert.ok(slice.completed > 0 && slice.completed <= (2 * slice.windowMs) / 5 + 2);
});

test("a request that failed, a ledger that is not whole and a slice without an end are faults", async () => {
  let calls = 0;
  const failing: Target = {
    ...whole,
    runOne: async () => {
      if ((calls += 1) === 3) throw new Error("503");
      return soon();
    },
  };
  assert.match((await runClosedLoop(failing, programs, load)).faults.join(), /503/);
  const torn: Target = { ...whole, checkOne: async () => "its ledger is not whole" };
  assert.match((await runClosedLoop(torn, programs, load)).faults.join(), /not whole/);
  assert.match((await runSingly(torn, programs, 2)).faults.join(), /2 of 2: its ledger is not whole/);
  const stuck: Target = {
    ...whole,
    runOne: () => new Promise((resolve) => void setTimeout(() => resolve("id"), 1_000)),
  };
  assert.match((await runClosedLoop(stuck, programs, load)).faults.join(), /nothing ended/);
  assert.deepEqual((await runClosedLoop(stuck, programs, { ...load, patienceMs: 60_000 })).faults, []);
});

test("a generator at the limit of its core is a fault", () => {
  assert.equal(generatorFault(0.8), undefined);
  assert.match(generatorFault(0.81) ?? "", /the generator used 81 % of its core/);
});

test("rounds in which others used the machine are thrown away, and too few that are left are a fault", async () => {
  const limits = { pairs: 2, extraPairs: 1, maxOthersShare: 0.2 };
  const order: string[] = [];
  const once = await interleave(
    ["a", "b"],
    async (name) => {
      order.push(name);
      return noisy([0])();
    },
    limits,
  );
  assert.deepEqual(order, ["a", "b", "a", "b"]);
  assert.deepEqual([once.rounds.length, once.rejected.length, once.faults], [2, 0, []]);
  const again = await interleave(["a", "b"], noisy([0, 0.5, 0, 0, 0, 0]), limits);
  assert.deepEqual([again.rounds.length, again.rejected.length, again.faults], [2, 1, []]);
  const never = await interleave(["a", "b"], noisy([0, 0.5, 0.3, 0, 0, 0]), limits);
  assert.equal(never.rounds.length, 1);
  assert.match(never.faults.join(), /only 1 of 2 rounds: in 2 others used more than 20 % of the machine/);
  // A run without a valid round shows what it saw, and is void.
  const nothing = await interleave(["a"], noisy([0.9, 0.8, 0.7]), limits);
  assert.deepEqual([nothing.rounds.length, nothing.shown.length, nothing.faults.length], [0, 3, 1]);
  const failed = await interleave(["a"], async () => ({ faults: ["503"], othersShare: 0 }), limits);
  assert.deepEqual(failed.faults, ["a: 503", "a: 503"]);
});

test("others are what was busy and not ours, as a share of the whole machine", () => {
  const { busyShare, othersShare, programs: own } = cpuBetween(reading(100, 50, 7), reading(120, 66, 17));
  assert.deepEqual([busyShare, othersShare, own.get("ours")], [16 / 20, 6 / 20, 10]);
});

test("the CPU of a program that was started and has ended is its starter's own", () => {
  const before = readOwnTree();
  execFileSync(process.execPath, [
    "-e",
    "const end = process.cpuUsage().user + 3e5; while (process.cpuUsage().user < end);",
  ]);
  const used = cpuBetween(before, readOwnTree()).programs.get("own tree") ?? 0;
  assert.ok(used >= 0.29, `${String(used)} s`);
});

test("a ratio is of each pair, and its median of those", () => {
  assert.deepEqual(
    spreadOf(
      ratiosOf([
        [1, 2],
        [30, 10],
        [4, 4],
      ]),
    ),
    { median: 1, min: 0.5, max: 3 },
  );
  assert.deepEqual(spreadOf([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4 });
  assert.throws(() => spreadOf([]), TypeError);
});

test("the report says void and why, and whether a target is met", () => {
  const one = { median: 1, min: 1, max: 1 };
  const line: Comparison = {
    id: "B2",
    what: "sessions",
    unit: "/s",
    ours: one,
    other: { name: "bare workflow", value: one },
    ratio: { median: 0.5, min: 0.4, max: 0.6 },
    target: { atLeast: 0.4 },
    pairs: 5,
    faults: [],
  };
  const machine = { cores: 2, memoryGiB: 4, system: "linux x64", node: "24", temporal: "1", python: "3" };
  const page = (comparison: Comparison): string =>
    benchmarksPage({
      plan: plans.quick,
      machine,
      at: "2026-01-01T00:00:00.000Z",
      comparisons: [comparison],
      files: [],
    });
  assert.match(page(line), /^Not measured in this run: B1, B3, B8, B9, B11, B13\.$/m);
  assert.match(page(line), /\| \*\*0\.5 \[0\.4–0\.6\]\*\* \| ≥ 0\.4 \| yes \| 5 \|/);
  assert.match(page({ ...line, target: { atMost: 0.4 } }), /\| ≤ 0\.4 \| \*\*no\*\* \|/);
  assert.match(
    page({ ...line, faults: ["a backlog of 3 workflows"] }),
    /\*\*void\*\*[^]*- B2: a backlog of 3 workflows/,
  );
});
