import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { root } from "../../../scripts/stack/src/layout.ts";
import { openSqliteLedger } from "../../../services/orchestrator/src/ledger/sqlite-ledger.ts";
import { python, pythonVerifier } from "../../../services/orchestrator/test/ledger/python-verifier.ts";
import { masterKeys } from "../../../services/orchestrator/test/harness/master-keys.ts";
import { openingOf, stepEvents } from "../../../services/orchestrator/test/ledger/sample-events.ts";
import { cpuBetween, readOwnTree } from "../cpu-account.ts";
import { interleave, type Slice } from "../interleave.ts";
import type { Plan } from "../plan.ts";
import type { Measured } from "../result.ts";
import { ratiosOf, spreadOf } from "../statistics.ts";

const commands = {
  node: [process.execPath, join(root, "scripts/soma-verify.ts")],
  python: [python, pythonVerifier],
} as const;

interface VerifySlice extends Slice {
  readonly seconds: number;
}

/** B11, second half: one session of many events, written by the real ledger, checked by both verifiers. */
export async function measureVerification(folder: string, plan: Plan, say: (line: string) => void): Promise<Measured> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, "export.ndjson");
  const events = await exportLongSession(folder, file, plan.verifyEvents);
  const run = async (name: keyof typeof commands): Promise<VerifySlice> => {
    const before = readOwnTree();
    const begin = performance.now();
    const problem = await verifyBy(commands[name], file, events);
    const seconds = (performance.now() - begin) / 1000;
    say(`  ${name}: ${String(events)} events in ${seconds.toFixed(2)} s`);
    return {
      faults: problem === undefined ? [] : [problem],
      othersShare: cpuBetween(before, readOwnTree()).othersShare,
      seconds,
    };
  };
  const names = ["node", "python"] as const;
  for (const name of names) await run(name);
  const { shown, faults } = await interleave(names, run, plan);
  rmSync(file);
  const pairs = shown.map((round): [number, number] => [round.node.seconds, round.python.seconds]);
  return {
    comparisons: [
      {
        id: "B11",
        what: `verify one session of ${events.toLocaleString("en")} events (NDJSON), start of the program included`,
        unit: "s",
        ours: spreadOf(pairs.map(([ours]) => ours)),
        other: { name: "verifier in Python", value: spreadOf(pairs.map(([, theirs]) => theirs)) },
        ratio: spreadOf(ratiosOf(pairs)),
        pairs: pairs.length,
        faults,
      },
    ],
    raw: { events, rounds: shown },
  };
}

/** Governed steps without end, in large transactions; resolves with the number of events. */
async function exportLongSession(folder: string, file: string, wanted: number): Promise<number> {
  const subject = { tenant: "tenant-bench", session_id: "sess-long" };
  const key = { tenant: subject.tenant, sessionId: subject.session_id };
  const ledger = await openSqliteLedger({ file: join(folder, "long.sqlite"), masterKeys });
  const out = createWriteStream(file, { mode: 0o600 });
  try {
    await ledger.openSession(openingOf(subject));
    let written = 0;
    for (let step = 0; written < wanted;) {
      const events = Array.from({ length: 100 }, (_, index) =>
        stepEvents(subject, `step-${String(step + index)}`),
      ).flat();
      step += 100;
      await ledger.append(events);
      for (const event of await ledger.readEvents({ ...key, after: written, limit: 1_000 })) {
        written = event.sequence;
        if (!out.write(`${JSON.stringify(event)}\n`)) await once(out, "drain");
      }
    }
    return written;
  } finally {
    out.end();
    await finished(out);
    await ledger.close();
  }
}

/** What is wrong with the verdict; undefined when it is that everything holds, over all events. */
async function verifyBy(
  [command, program]: readonly [string, string],
  file: string,
  events: number,
): Promise<string | undefined> {
  const child = spawn(command, [program, "--json", file], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()));
  const [code] = await once(child, "close");
  if (code !== 0) return `the verifier ended with ${String(code)}`;
  const { counts }: { counts: { events: number } } = JSON.parse(output);
  return counts.events === events ? undefined : `the verifier saw ${String(counts.events)} events`;
}
