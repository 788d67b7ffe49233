import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { NewEvent } from "@soma/contracts/audit";
import { defaultQuotas } from "@soma/contracts/tenant";
import { loadMasterKeys } from "../../../services/orchestrator/src/contents/master-keys.ts";
import type { Ledger } from "../../../services/orchestrator/src/ledger/ledger.ts";
import { foundTenant } from "../../../services/orchestrator/src/tenants/found-tenant.ts";
import { openSqliteLedger } from "../../../services/orchestrator/src/ledger/sqlite-ledger.ts";
import { openingOf, stepEvents } from "../../../services/orchestrator/test/ledger/sample-events.ts";
import { cpuBetween, readCpu } from "../cpu-account.ts";
import { interleave, type Slice } from "../interleave.ts";
import { generatorFault } from "../load/closed-loop.ts";
import { StreamReaders } from "../load/stream-readers.ts";
import type { Plan } from "../plan.ts";
import type { Comparison, Measured } from "../result.ts";
import type { Site } from "../site.ts";
import { ratiosOf, spreadOf } from "../statistics.ts";

interface StreamSlice extends Slice {
  readonly eventsPerSecond: number;
  readonly generatorShare: number;
}

/** A tenant of its own, with room for all streams. */
const tenant = "tenant-streams";
const roomyTenant = {
  ...foundTenant(tenant),
  data: { settings: { quotas: { ...defaultQuotas, streams: 100_000, running_sessions: 100_000 }, issuers: [] } },
};
const withinMs = 120_000;

/**
 * B9: the events of one session to many readers. They are appended in bursts, in transactions by another process, as a
 * worker on another machine does, each burst when the one before has come to every reader.
 */
export async function measureStreams(site: Site, plan: Plan, say: (line: string) => void): Promise<Measured> {
  const { url } = await site.variant("ours");
  const raw = await site.variant("raw-streams");
  const data = join(site.folder, "ours");
  const ledger = await openSqliteLedger({
    file: join(data, "ledger.sqlite"),
    masterKeys: loadMasterKeys({ variable: "CONTENT_MASTER_KEY_FILE", path: join(data, "keys/content-master.key") }),
  });
  await ledger.tenants.append({ events: [roomyTenant] });
  const comparisons: Comparison[] = [];
  const rawNumbers: unknown[] = [];
  try {
    for (const streams of plan.streams) {
      const sources: Readonly<Record<"ours" | "raw-streams", () => Promise<Source>>> = {
        ours: () => ledgerSource(ledger, url, plan.streamEvents),
        "raw-streams": () => rawSource(ledger, raw.url, plan.streamEvents),
      };
      const run = async (name: "ours" | "raw-streams"): Promise<StreamSlice> => {
        const slice = await measureOne(site, await sources[name](), streams, plan);
        say(`  ${name}: ${slice.eventsPerSecond.toFixed(0)} events/s to ${String(streams)} streams`);
        return slice;
      };
      for (const name of ["ours", "raw-streams"] as const) await run(name);
      const { shown, faults } = await interleave(["ours", "raw-streams"] as const, run, plan);
      const pairs = shown.map((round): [number, number] => [
        round.ours.eventsPerSecond,
        round["raw-streams"].eventsPerSecond,
      ]);
      comparisons.push({
        id: "B9",
        what: `events of one session to ${String(streams)} streams, in bursts of ${String(plan.streamEvents)}`,
        unit: "events/s, over all streams",
        ours: spreadOf(pairs.map(([ours]) => ours)),
        other: { name: "raw Node server", value: spreadOf(pairs.map(([, theirs]) => theirs)) },
        ratio: spreadOf(ratiosOf(pairs)),
        target: { atLeast: 0.6 },
        pairs: pairs.length,
        generatorShare: Math.max(...shown.flatMap((round) => Object.values(round).map((one) => one.generatorShare))),
        faults,
      });
      rawNumbers.push({ streams, bursts: plan.streamBursts, eventsInABurst: plan.streamEvents, rounds: shown });
    }
    return { comparisons, raw: rawNumbers };
  } finally {
    await ledger.close();
  }
}

/** Where a slice's streams are, what they have got before, and what makes the events come. */
interface Source {
  readonly url: string;
  readonly before: number;
  /** Makes the next burst come; resolves when it is committed. */
  readonly release: () => Promise<void>;
}

async function measureOne(site: Site, source: Source, streams: number, plan: Plan): Promise<StreamSlice> {
  const readers = await StreamReaders.open(source.url, streams);
  try {
    await readers.untilEachHas(source.before, withinMs);
    const cpuBefore = readCpu(site.programs);
    const begin = performance.now();
    let expected = source.before;
    for (let burst = 0; burst < plan.streamBursts; burst += 1) {
      await source.release();
      expected += plan.streamEvents;
      await readers.untilEachHas(expected, withinMs);
    }
    const cpu = cpuBetween(cpuBefore, readCpu(site.programs));
    const seconds = (readers.lastChunkAt - begin) / 1000;
    const generatorShare = (cpu.programs.get("generator") ?? 0) / seconds;
    const limit = generatorFault(generatorShare, plan.maxGeneratorShare);
    const other = readers.countOther(expected);
    return {
      faults: [
        ...(limit === undefined ? [] : [limit]),
        ...(other === 0 ? [] : [`${String(other)} of ${String(streams)} streams did not get each event once`]),
      ],
      othersShare: cpu.othersShare,
      eventsPerSecond: (streams * (expected - source.before)) / seconds,
      generatorShare,
    };
  } finally {
    readers.close();
  }
}

/** The next events of a session, as many as wanted. */
function eventsOf(sessionId: string, after: number, count: number): NewEvent[] {
  const subject = { tenant, session_id: sessionId };
  return Array.from({ length: count }, (_, offset) => {
    const index = after + offset;
    const event = stepEvents(subject, `step-${String(Math.floor(index / 3))}`)[index % 3];
    if (event === undefined) throw new TypeError("a step has three events");
    return event;
  });
}

async function ledgerSource(ledger: Ledger, url: string, count: number): Promise<Source> {
  const sessionId = `bench-${randomUUID()}`;
  await ledger.openSession(openingOf({ tenant, session_id: sessionId }));
  let after = 0;
  return {
    url: `${url}/v1/sessions/${sessionId}/events`,
    before: 1,
    release: async () => {
      await ledger.append(eventsOf(sessionId, after, count));
      after += count;
    },
  };
}

/** The very texts that the other variant sends. */
async function rawSource(ledger: Ledger, url: string, count: number): Promise<Source> {
  const sessionId = `bench-${randomUUID()}`;
  await ledger.openSession(openingOf({ tenant, session_id: sessionId }));
  const appended = await ledger.append(eventsOf(sessionId, 0, count));
  const texts = appended.map(
    ({ event }) => `id: ${String(event.sequence)}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
  );
  return {
    url: `${url}/streams`,
    before: 0,
    release: async () => {
      const answer = await fetch(`${url}/texts`, { method: "POST", body: JSON.stringify(texts) });
      if (!answer.ok) throw new Error(`the raw server answered ${String(answer.status)}`);
    },
  };
}
