import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { python } from "../../services/orchestrator/test/ledger/python-verifier.ts";
import { runDirOf } from "../../scripts/stack/src/layout.ts";
import { describeMachine } from "./machine.ts";
import { openModelSite } from "./model-site.ts";
import type { Plan } from "./plan.ts";
import { benchmarksPage } from "./report.ts";
import type { Comparison, Measured } from "./result.ts";
import { openSite, type Site } from "./site.ts";
import { measureAppends } from "./suite/append.ts";
import { measureCost } from "./suite/cost.ts";
import { measureIdle } from "./suite/idle.ts";
import { measureModelStream, type ModelSite } from "./suite/model-stream.ts";
import { measureStreams } from "./suite/streams.ts";
import { measureThroughput } from "./suite/throughput.ts";
import { measureVerification } from "./suite/verification.ts";

interface Options {
  /** Names the run's folder; one run of a name at a time. */
  readonly name: string;
  readonly plan: Plan;
  /** Of the benchmarks' ids; all when empty. */
  readonly only: readonly string[];
  /** Where page and raw numbers go. */
  readonly out: string;
  readonly profile: boolean;
  readonly say: (line: string) => void;
}

interface Part {
  readonly ids: readonly Comparison["id"][];
  readonly file: string;
  /** With servers, with the whole stack and its model, or on its own in a folder. */
  readonly measure:
    | { readonly onSite: (site: Site) => Promise<Measured> }
    | { readonly withModel: (site: ModelSite) => Promise<Measured> }
    | { readonly alone: (folder: string) => Promise<Measured> };
}

/** Measures, writes page and raw numbers, and gives the lines of the report. */
export async function runBench({ name, plan, only, out, profile, say }: Options): Promise<readonly Comparison[]> {
  const parts: readonly Part[] = [
    { ids: ["B1"], file: "B1.json", measure: { onSite: (site) => measureCost(site, plan) } },
    { ids: ["B2", "B3"], file: "B2-B3.json", measure: { onSite: (site) => measureThroughput(site, plan, say) } },
    { ids: ["B9"], file: "B9.json", measure: { onSite: (site) => measureStreams(site, plan, say) } },
    { ids: ["B8"], file: "B8.json", measure: { onSite: (site) => measureIdle(site, plan, say) } },
    { ids: ["B11"], file: "B11-append.json", measure: { alone: (folder) => measureAppends(folder, plan, say) } },
    { ids: ["B11"], file: "B11-verify.json", measure: { alone: (folder) => measureVerification(folder, plan, say) } },
    { ids: ["B13"], file: "B13.json", measure: { withModel: (site) => measureModelStream(site, plan, say) } },
  ];
  const chosen = parts.filter(({ ids }) => only.length === 0 || ids.some((id) => only.includes(id)));
  const machine = describeMachine(python);
  const at = new Date().toISOString();
  const comparisons: Comparison[] = [];
  const folder = join(out, "benchmarks");
  mkdirSync(folder, { recursive: true });
  const keep = ({ file }: Part, { comparisons: lines, raw }: Measured): void => {
    comparisons.push(...lines);
    writeFileSync(
      join(folder, file),
      `${JSON.stringify({ at, plan, machine, comparisons: lines, raw }, rounded, 1)}\n`,
    );
  };
  // One after the other: what runs beside a measurement is part of it.
  const served = chosen.flatMap((part) => ("onSite" in part.measure ? [{ part, measure: part.measure.onSite }] : []));
  if (served.length > 0) {
    say("starting Temporal, policy engine and identity service");
    const site = await openSite(name, profile);
    try {
      for (const { part, measure } of served) {
        say(part.ids.join(", "));
        keep(part, await measure(site));
      }
    } finally {
      await site.close();
    }
  }
  for (const part of chosen) {
    if (!("withModel" in part.measure)) continue;
    say(part.ids.join(", "));
    const site = await openModelSite(`${name}-model`);
    try {
      keep(part, await part.measure.withModel(site));
    } finally {
      await site.close();
    }
  }
  for (const part of chosen) {
    if (!("alone" in part.measure)) continue;
    say(part.ids.join(", "));
    const own = join(runDirOf(name), "bench", part.file.replace(".json", ""));
    rmSync(own, { recursive: true, force: true });
    keep(part, await part.measure.alone(own));
  }
  const files = chosen.map(({ file }) => file);
  writeFileSync(join(out, "benchmarks.md"), benchmarksPage({ plan, machine, at, comparisons, files }));
  return comparisons;
}

/** Six digits are more than any of these figures has. */
function rounded(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}
