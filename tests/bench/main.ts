/** Program: `make bench`. `node tests/bench/main.ts quick|full [--only B1,B2] [--out FOLDER] [--profile]`. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../../scripts/stack/src/layout.ts";
import { plans } from "./plan.ts";
import { isMet } from "./result.ts";
import { runBench } from "./run-bench.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string", default: "" },
    out: { type: "string", default: join(root, "docs/reference") },
    profile: { type: "boolean", default: false },
  },
});
const plan = Object.values(plans).find(({ name }) => name === (positionals[0] ?? "quick"));
if (plan === undefined) throw new Error(`no set is called ${String(positionals[0])}; there are quick and full`);
// A run that is broken off ends at once: the stack's guard takes care of what it started.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const only = values.only.split(",").filter((id) => id !== "");
const comparisons = await runBench({ name: "bench", plan, only, out: values.out, profile: values.profile, say });
say("");
for (const one of comparisons) {
  const { median, min, max } = one.ratio;
  const met = { true: "met", false: "NOT MET", undefined: "no target" }[String(isMet(one))];
  say(
    `${one.id} ${one.what}: ${median.toFixed(2)} [${min.toFixed(2)}–${max.toFixed(2)}] of ${one.other.name}, ${met ?? ""}`,
  );
}
const faults = new Set(comparisons.flatMap((one) => one.faults.map((fault) => `${one.id}: ${fault}`)));
for (const fault of faults) say(`VOID ${fault}`);
say(`\nwritten: ${join(values.out, "benchmarks.md")}`);
// What was missed is told, not an error; figures that do not count are one.
process.exitCode = faults.size > 0 ? 1 : 0;
