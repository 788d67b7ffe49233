import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { parseArgs } from "node:util";
import { compileCache, NotSetUpError, root, runDirOf } from "./stack/src/layout.ts";
import { startStack } from "./stack/src/start-stack.ts";
import { describeStack, modelToken } from "../tests/harness/describe-stack.ts";
import { stackVariable } from "../tests/harness/stack-under-test.ts";

/**
 * Runs the rings of tests, fastest first, and prints how many ran: `node scripts/run-tests.ts [unit|python|system …]
 * [--files GLOB] [--timeout SECONDS]`, of one file. With `CI=true` a skipped test is a failure.
 */
interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** For one file, in seconds: a test that hangs is a failed test, not a run without an end. */
const usualTimeout = "240";

const total: Counts = { passed: 0, failed: 0, skipped: 0 };

const rings: Readonly<Record<string, (files: string | undefined) => Promise<void>>> = {
  unit: async (files) => {
    await runNode(files ?? "{{packages,services,scripts,apps}/**/test/**,tests/{pins,bench,failover}}/*.test.ts", 2);
  },
  python: () => runPython(["discover", "-s", "test", "-t", ".", "-p", "*_test.py"], {}),
  system: runSystem,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { files: { type: "string" }, timeout: { type: "string", default: usualTimeout } },
});
Object.assign(process.env, compileCache);
const chosen = positionals.length === 0 ? Object.keys(rings) : positionals;
const begin = Date.now();
for (const name of chosen) {
  const ring = rings[name];
  if (!ring) throw new Error(`no ring is called ${name}; there are ${Object.keys(rings).join(", ")}`);
  say(`\n── ${name} ──`);
  try {
    await ring(values.files);
  } catch (error) {
    if (!(error instanceof NotSetUpError)) throw error;
    total.skipped += 1;
    say(`skipped: ${name}: ${error.message}`);
  }
}
const skipsAllowed = process.env["CI"] !== "true";
if (!skipsAllowed && total.skipped > 0) say(`\n${String(total.skipped)} skipped; with CI=true each is a failure`);
say(`\nall rings in ${String(Math.round((Date.now() - begin) / 1000))} s\n`);
say(`${String(total.passed)} passed, ${String(total.failed)} failed, ${String(total.skipped)} skipped`);
const nothingRan = total.passed === 0;
process.exitCode = total.failed > 0 || nothingRan || (!skipsAllowed && total.skipped > 0) ? 1 : 0;

/** Everything against one real stack: Temporal, Ray with the model, and all services, on free ports. */
async function runSystem(files: string | undefined): Promise<void> {
  // Ids that tests use must be new to this ledger.
  rmSync(join(runDirOf("test"), "data"), { recursive: true, force: true });
  const seen = new Map<string, string>();
  const stack = await startStack({
    name: "test",
    onChange: ({ parts }) => {
      for (const { name, status } of parts) {
        if (seen.get(name) !== status) say(`  ${name}: ${status}`);
        seen.set(name, status);
      }
    },
  });
  try {
    process.env[stackVariable] = JSON.stringify(describeStack(stack));
    // One file after the other: they share the model, which has one thread.
    await runNode(files ?? "tests/{e2e,faults,documents}/*.test.ts", 1);
    if (files === undefined) {
      await runPython(["test.integration_test"], {
        SLM_TEST_URL: stack.url("slm"),
        SLM_TEST_DATA_DIR: describeStack(stack).slmDataDir,
        SLM_TEST_TOKEN: await modelToken(stack),
      });
    }
  } finally {
    await stack.stop();
  }
}

async function runNode(glob: string, concurrency: number): Promise<void> {
  const files = globSync(glob, { cwd: root, exclude: ["**/node_modules/**"] })
    .toSorted()
    .map((file) => join(root, file));
  if (files.length === 0) return;
  const stream = run({ files, concurrency, isolation: "process", timeout: Number(values.timeout) * 1_000 });
  stream.on("test:summary", ({ file, counts }) => {
    // The summaries of single files come, too; the last has none and counts them all.
    if (file !== undefined) return;
    total.passed += counts.passed;
    total.failed += counts.tests - counts.passed - counts.skipped;
    total.skipped += counts.skipped;
  });
  const report = stream.compose(new spec());
  report.pipe(process.stdout, { end: false });
  await once(report, "end");
}

async function runPython(args: readonly string[], env: Record<string, string>): Promise<void> {
  const python = join(root, ".soma/slm/bin/python");
  if (!existsSync(python)) throw new NotSetUpError("the model service is not set up yet. Run: make setup");
  const child = spawn(python, ["-m", "unittest", ...args, "-v"], {
    cwd: join(root, "services/slm"),
    env: { ...process.env, ...env },
    stdio: ["ignore", "inherit", "pipe"],
  });
  let output = "";
  child.stderr.on("data", (bytes: Buffer) => {
    output += bytes.toString();
    process.stdout.write(bytes);
  });
  const [code] = await once(child, "close");
  const count = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? 0);
  const ran = count(/^Ran (\d+) tests?/m);
  const skipped = count(/skipped=(\d+)/);
  const failed = count(/failures=(\d+)/) + count(/errors=(\d+)/);
  total.skipped += skipped;
  total.failed += failed === 0 && code !== 0 ? 1 : failed;
  total.passed += Math.max(0, ran - skipped - failed);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
