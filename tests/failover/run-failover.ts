/**
 * Program: kills every part of a real stack while sessions come in, and checks afterwards, from independent records, that
 * nothing was lost and nothing happened twice. `node tests/failover/run-failover.ts [--sessions N] [--seed N]
 * [--faults part,part] [--json FILE] [--without-kafka]`. Exit code 1 for a violation, a fault that did not fire, or a bound that
 * was broken.
 */
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { until } from "../harness/until.ts";
import { runDirOf } from "../../scripts/stack/src/layout.ts";
import { fire } from "./faults.ts";
import { gatherApi, gatherGenerations, gatherResources, gatherSinks, gatherWorkflows } from "./gather.ts";
import { gatherTopic } from "./gather-topic.ts";
import { checkRecords, type InvariantName } from "./invariants.ts";
import { Load } from "./load.ts";
import { faultParts, planFaults, planSessions, type FaultPart } from "./plan.ts";
import { Random } from "./random.ts";
import type { FiredFault, Measure, RunRecords } from "./records.ts";
import { describeRun } from "./report.ts";
import { startWorld, type World } from "./world.ts";

const { values } = parseArgs({
  options: {
    sessions: { type: "string", default: "200" },
    seed: { type: "string" },
    faults: { type: "string", default: faultParts.join(",") },
    json: { type: "string" },
    "without-kafka": { type: "boolean", default: false },
  },
});
const begin = Date.now();
const name = `failover-${String(process.pid)}`;
const seed = Number(values.seed ?? randomBytes(3).readUIntBE(0, 3));
const kafka = !values["without-kafka"];
const parts: FaultPart[] = faultParts.filter(
  (part) => values.faults.split(",").includes(part) && (kafka || part !== "kafka"),
);
const withoutKafka: readonly InvariantName[] = ["topic-in-order", "topic-same-bytes", "topic-equals-ledger"];
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => {
    say(`${signal}: stopping`);
    stop.abort();
  });

let failed = true;
try {
  failed = await run();
} catch (error) {
  process.stderr.write(`${stop.signal.aborted ? "Stopped." : String(error instanceof Error ? error.stack : error)}\n`);
} finally {
  if (failed && !stop.signal.aborted) process.stderr.write(`The logs of all parts: ${runDirOf(name)}/logs\n`);
  else rmSync(runDirOf(name), { recursive: true, force: true });
}
process.exitCode = stop.signal.aborted ? 130 : Number(failed);

async function run(): Promise<boolean> {
  say(`seed ${String(seed)}; the same plan again with --seed ${String(seed)}`);
  const world = await startWorld({ name, kafka, say, signal: stop.signal });
  try {
    const records = await strike(world);
    const left = kafka ? [] : withoutKafka;
    const verdicts = checkRecords(records, left);
    process.stdout.write(`\n${describeRun(records, verdicts, left)}\n`);
    if (values.json !== undefined)
      writeFileSync(values.json, `${JSON.stringify({ records: shortened(records), verdicts })}\n`);
    const violated = verdicts.filter(({ violations }) => violations.length > 0).length;
    say(`${String(violated)} invariants violated, ${String(records.fired.length)} faults fired, seed ${String(seed)}`);
    return violated > 0;
  } finally {
    say("stopping");
    await world.stop();
  }
}

async function strike(world: World): Promise<RunRecords> {
  const random = new Random(seed);
  const canary = `canary${randomBytes(8).toString("hex")}`;
  const planned = planFaults(random, parts);
  const plans = planSessions(Number(values.sessions), random, canary);
  const load = new Load(world.stack.url("orchestrator"), plans);
  const fired: FiredFault[] = [];
  const measures: Measure[] = [];
  load.start();
  try {
    for (const [index, plan] of planned.entries()) {
      load.quota = Math.ceil((plans.length * (index + 1)) / (planned.length + 1));
      const { fault, measure } = await fire(world, load, plan, stop.signal);
      fired.push(fault);
      if (measure) measures.push(measure);
      say(`${fault.id} fired: ${String(load.started)} sessions so far, ${String(load.open)} clients at work`);
    }
    say("healed; waiting for the end of all sessions");
    await load.finish(150_000, stop.signal);
  } finally {
    await load.stop();
  }
  stop.signal.throwIfAborted();
  await until(
    "sessions of which no client waits end, too",
    () => (world.ledger.openSessions().length === 0 ? true : undefined),
    45_000,
  ).catch(() => undefined);
  say("gathering the records");
  const ledger = world.ledger.rows();
  const topic = kafka ? await gatherTopic(world) : [];
  const { workflows, sinks } = await gatherWorkflows(world.temporal, join(world.stack.runDir, "data/orchestrator"));
  return {
    seed,
    client: load.records,
    requests: world.recorders.flatMap(({ seen }) => seen),
    generations: await gatherGenerations(world),
    workflows,
    ledger,
    api: await gatherApi(world.stack.url("orchestrator"), ledger),
    topic,
    sinks: [
      ...sinks,
      ...(await gatherSinks(world)),
      { place: "topic", text: topic.map(({ value }) => value).join("\n"), promptsAllowed: false },
      { place: "ledger", text: ledger.map(({ json }) => json).join("\n"), promptsAllowed: false },
    ],
    canaries: [canary],
    resources: await gatherResources(world, workflows, kafka),
    planned: planned.map(({ id, part }) => ({ id, part })),
    fired,
    measures,
  };
}

/** Without the texts of logs and histories: the check has looked into them already, and they name this machine's folders. */
function shortened(records: RunRecords): RunRecords {
  return { ...records, sinks: records.sinks.map((sink) => Object.assign({}, sink, { text: "" })) };
}

function say(line: string): void {
  const seconds = ((Date.now() - begin) / 1_000).toFixed(1);
  process.stdout.write(`${seconds.padStart(6)} s  ${line}\n`);
}
