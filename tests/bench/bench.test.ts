import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { postgresMissing } from "../../services/orchestrator/test/ledger/postgres-server.ts";
import { runDirOf } from "../../scripts/stack/src/layout.ts";
import { plans } from "./plan.ts";
import { benchmarkIds } from "./result.ts";
import { runBench } from "./run-bench.ts";

test("the set runs, but for what needs the real model, with counts that mean nothing: every session is whole, and each figure is in the report", async (context) => {
  const out = mkdtempSync(join(tmpdir(), "soma-bench-test-"));
  const name = `bench-smoke-${String(process.pid)}`;
  context.after(() => {
    rmSync(out, { recursive: true });
    rmSync(runDirOf(name), { recursive: true, force: true });
  });
  // B13 needs the whole stack with its model, which the system ring has: tests/e2e/model-stream.test.ts.
  const only = benchmarkIds.filter((id) => id !== "B13");
  const comparisons = await runBench({ name, plan: plans.smoke, only, out, profile: false, say: () => undefined });
  const appends = postgresMissing === false ? 2 : 1;
  const expected = [..."B1 B1 B1 B2 B2 B3 B3 B9 B8 B8".split(" "), ...Array.from({ length: appends + 1 }, () => "B11")];
  assert.deepEqual(
    comparisons.map(({ id }) => id),
    expected,
  );
  for (const { what, faults, ratio } of comparisons) {
    assert.deepEqual(faults, [], what);
    assert.ok(ratio.median > 0 && Number.isFinite(ratio.median), what);
  }
  const page = readFileSync(join(out, "benchmarks.md"), "utf8");
  assert.equal(page.match(/^\| B\d+ \|/gm)?.length, expected.length);
  assert.doesNotMatch(page, /\*\*void\*\*|NaN|undefined/);
  for (const file of ["B1.json", "B2-B3.json", "B8.json", "B9.json", "B11-append.json", "B11-verify.json"]) {
    assert.ok(page.includes(`(benchmarks/${file})`), file);
    assert.ok(statSync(join(out, "benchmarks", file)).size < 500_000, `${file} is too large to keep`);
  }
  // Counted exactly, whatever else the machine does.
  const b1: { raw: { sessions: unknown[]; rpcs: Record<string, number> } } = JSON.parse(
    readFileSync(join(out, "benchmarks/B1.json"), "utf8"),
  );
  assert.deepEqual(
    b1.raw.sessions,
    Array.from({ length: 2 }, () => ({ events: 14, transactions: 5 })),
  );
  assert.equal(b1.raw.rpcs["StartWorkflowExecution"], 1);
});
