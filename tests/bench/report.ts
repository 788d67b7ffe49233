import type { Machine } from "./machine.ts";
import type { Plan } from "./plan.ts";
import { benchmarkIds, isMet, type Comparison } from "./result.ts";
import type { Spread } from "./statistics.ts";

interface Run {
  readonly plan: Plan;
  readonly machine: Machine;
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly comparisons: readonly Comparison[];
  /** Names of the files with the raw numbers. */
  readonly files: readonly string[];
}

/** The page docs/reference/benchmarks.md. */
export function benchmarksPage({ plan, machine, at, comparisons, files }: Run): string {
  const faults = new Map<string, string[]>();
  for (const { id, faults: found } of comparisons)
    for (const fault of found) faults.set(fault, [...new Set([...(faults.get(fault) ?? []), id])]);
  const lines = comparisons.map((one) => {
    const cells = [
      one.id,
      one.what,
      `${spread(one.ours)} ${one.unit}`,
      `${one.other.name}: ${spread(one.other.value)}`,
      `**${spread(one.ratio)}**${one.difference === undefined || one.target === undefined || !("addsAtMost" in one.target) ? "" : `, adds **${spread(one.difference)}** ${one.unit}`}`,
      targetOf(one),
      one.faults.length > 0 ? "**void**" : metOf(one),
      String(one.pairs),
      one.generatorShare === undefined ? "" : `${(one.generatorShare * 100).toFixed(0)} %`,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return `# Benchmarks

Real only: measured on real servers, with real clients and real data. What is not real is said here: a model that answers at once, so that
what is measured is the engine and not the model.

Written by \`make bench\`; change \`tests/bench\`, not this page. Run of ${at}, ${plan.name} set, on ${String(machine.cores)} cores,
${String(machine.memoryGiB)} GiB of memory, ${machine.system}; Node ${machine.node}, Temporal ${machine.temporal}, Python ${machine.python}.

| id | what | ours | against | ratio | target | met | pairs | generator's core |
|---|---|---|---|---|---|---|---|---|
${lines.join("\n")}

${notMeasured(comparisons)}A figure is the median, with minimum and maximum in brackets. A ratio is ours to the other within one pair of slices, then the median of
the pairs.

${
  faults.size === 0
    ? "No figure is void: no request failed, no backlog was left, every ledger was whole, and the generator had room."
    : `What makes figures void:\n\n${[...faults].map(([fault, ids]) => `- ${ids.join(", ")}: ${fault}`).join("\n")}`
}

## How it is measured

- All variants run on one machine against the same servers, in turn (A B C A B C …), after a warm-up of each. A slice of load is
  ${String(plan.sliceMs / 1000)} s in full swing, after ${String(plan.rampMs / 1000)} s in which the loop fills.
- The load is a closed loop: ${String(plan.concurrency)} sessions at once, each begun when another ended. A session counts when its event stream
  has told all six events to the end. After each slice the offline verifier checks the ledger of every session of it.
- Figures are void when a request failed, a ledger was not whole, workflows were left running, the generator used over 80 % of its core, or too few
  rounds were left. A round in which programs that are not of the run used over a fifth of the machine is thrown away and tried again.
- Ours is the orchestrator as \`make dev-up\` runs it: API and worker in one process, the real policy engine and identity service with the
  packs and the registry of this repository, the real ledger.
- Temporal is its development server on a SQLite file with a write-ahead log, \`synchronous=NORMAL\`, with the rate limits of
  \`scripts/stack/src/parts/temporal.ts\` raised. The ledger is SQLite with a write-ahead log and \`synchronous=FULL\`.
- The bare workflow does nothing, starts eagerly, and runs in one process with a Node HTTP server; its client waits for its result.
- The naive design is the orchestrator with another workflow: the same four activities, all remote, nothing eager
  (\`tests/bench/workflows/naive-workflow.ts\`).
- The model of B1 is [a session's cost](cost-of-a-session.md). Its 6 RPCs are those of a client that asks Temporal for the result; ours reads
  it from the ledger. What the idle worker calls in the same time is taken off.
- B8: memory is what a process holds alone (\`RssAnon\`), an API process without worker and a raw Node server, each started for its slice, with
  the streams open and idle less without them. The conversations are real ones of the model that answers at once, begun in one process and
  woken in another, so that no worker has them in its memory; a turn counts from the message to its end in the session's own stream.
- B9: the readers are sockets of the generator that count events. Both servers write the same texts; the raw one is told them and writes each to
  each stream, ours reads them from the ledger, where another process appended them: it finds them within 150 ms.
- B11 appends one event after another, each durable before the next, in one process, against a statement that writes as many bytes into
  the same kind of database with the same settings. The databases are on the same disk.
- B13 is the whole stack with the real small model: one answer after another, each of at most 96 tokens, streamed as OpenAI chat completions by
  the gateway with a user's token, and by the model service itself with a step's token. Both count from the request.

## Run it

\`make bench\` takes about ten minutes, \`make bench-full\` about an hour; both write this page and its raw numbers:
${files.map((file) => `[${file}](benchmarks/${file})`).join(", ")}. Nothing else should run on the machine. One part alone:
\`node tests/bench/main.ts quick --only B11 --out FOLDER\`. With \`--profile\` each Node program leaves a CPU profile in \`.soma/run/bench/bench\`.
`;
}

/** A run of some parts says so; it must not look like all there is. */
function notMeasured(comparisons: readonly Comparison[]): string {
  const left = benchmarkIds.filter((id) => !comparisons.some((one) => one.id === id));
  return left.length === 0 ? "" : `Not measured in this run: ${left.join(", ")}.\n\n`;
}

function spread({ median, min, max }: Spread): string {
  return min === max ? short(median) : `${short(median)} [${short(min)}–${short(max)}]`;
}

function short(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return String(Number(value.toFixed(Math.abs(value) >= 10 ? 1 : 2)));
}

function targetOf({ target, unit }: Comparison): string {
  if (target === undefined) return "–";
  if ("addsAtMost" in target) return `adds ≤ ${String(target.addsAtMost)} ${unit}`;
  return "atMost" in target ? `≤ ${String(target.atMost)}` : `≥ ${String(target.atLeast)}`;
}

function metOf(comparison: Comparison): string {
  const met = isMet(comparison);
  if (met === undefined) return "–";
  return met ? "yes" : "**no**";
}
