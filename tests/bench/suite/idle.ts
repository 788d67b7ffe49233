import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultQuotas } from "@soma/contracts/tenant";
import { loadMasterKeys } from "../../../services/orchestrator/src/contents/master-keys.ts";
import type { Ledger } from "../../../services/orchestrator/src/ledger/ledger.ts";
import { openSqliteLedger } from "../../../services/orchestrator/src/ledger/sqlite-ledger.ts";
import { foundTenant } from "../../../services/orchestrator/src/tenants/found-tenant.ts";
import { openingOf } from "../../../services/orchestrator/test/ledger/sample-events.ts";
import { cpuBetween, readCpu } from "../cpu-account.ts";
import { interleave, type Slice } from "../interleave.ts";
import { generatorFault } from "../load/closed-loop.ts";
import { Conversations, type Conversation } from "../load/conversations.ts";
import { StreamReaders } from "../load/stream-readers.ts";
import type { Plan } from "../plan.ts";
import { ownMemoryBytes } from "../process-memory.ts";
import type { Comparison, Measured } from "../result.ts";
import type { Site } from "../site.ts";
import { quantile, ratiosOf, spreadOf } from "../statistics.ts";

/** The tenant that the repository has a policy pack for. */
const tenant = "tenant-demo";
const folderName = "idle";
const withinMs = 120_000;

interface MemorySlice extends Slice {
  readonly kibibytesAStream: number;
}

interface TurnSlice extends Slice {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly generatorShare: number;
}

/**
 * B8: what an idle session with a stream costs the API in memory, and how fast sessions that nobody has in memory any more
 * answer when all are woken.
 */
export async function measureIdle(site: Site, plan: Plan, say: (line: string) => void): Promise<Measured> {
  const data = join(site.folder, folderName);
  const ledger = await openSqliteLedger({
    file: join(data, "ledger.sqlite"),
    masterKeys: loadMasterKeys({ variable: "CONTENT_MASTER_KEY_FILE", path: join(data, "keys/content-master.key") }),
  });
  try {
    await ledger.tenants.append({ events: [roomyTenant()] });
    const memory = await measureMemory(site, ledger, plan, say);
    const wake = await measureWake(site, plan, say);
    return { comparisons: [...memory.comparisons, ...wake.comparisons], raw: [memory.raw, wake.raw] };
  } finally {
    await ledger.close();
  }
}

function roomyTenant() {
  const quotas = { ...defaultQuotas, streams: 100_000, running_sessions: 100_000 };
  return { ...foundTenant(tenant), data: { settings: { quotas, issuers: [] } } };
}

/** Each slice is a process of its own, so that none has memory left from another. */
async function measureMemory(site: Site, ledger: Ledger, plan: Plan, say: (line: string) => void): Promise<Measured> {
  const ids = Array.from({ length: plan.idleStreams }, () => `idle-${randomUUID()}`);
  await Promise.all(ids.slice(0, 900).map((id) => ledger.openSession(openingOf({ tenant, session_id: id }))));
  for (const id of ids.slice(900)) await ledger.openSession(openingOf({ tenant, session_id: id }));
  const names = ["main-api", "raw-streams"] as const;
  const run = async (name: (typeof names)[number]): Promise<MemorySlice> => {
    const program = await site.fresh(name, folderName);
    try {
      const urlOf = (index: number): string =>
        program.url + (name === "main-api" ? `/v1/sessions/${ids[index % ids.length] ?? ""}/events` : "/streams");
      // What a process takes for its first streams is not theirs.
      (await StreamReaders.open(urlOf, Math.min(50, plan.idleStreams))).close();
      await sleep(plan.settleMs);
      const cpuBefore = readCpu(site.programs);
      const before = ownMemoryBytes(program.pid);
      const readers = await StreamReaders.open(urlOf, plan.idleStreams);
      await readers.untilEachHas(name === "main-api" ? 1 : 0, withinMs);
      await sleep(plan.settleMs);
      const after = ownMemoryBytes(program.pid);
      const { othersShare } = cpuBetween(cpuBefore, readCpu(site.programs));
      readers.close();
      const kibibytesAStream = (after - before) / 1024 / plan.idleStreams;
      say(`  ${name}: ${kibibytesAStream.toFixed(1)} KiB for each of ${String(plan.idleStreams)} streams`);
      return { faults: [], othersShare, kibibytesAStream };
    } finally {
      await program.stop();
    }
  };
  const { shown, faults } = await interleave(names, run, { ...plan, pairs: plan.idlePairs });
  const pairs = shown.map((round): [number, number] => [
    round["main-api"].kibibytesAStream,
    round["raw-streams"].kibibytesAStream,
  ]);
  return {
    comparisons: [
      {
        id: "B8",
        what: `memory of an API process for each of ${String(plan.idleStreams)} idle sessions with a stream each`,
        unit: "KiB",
        ours: spreadOf(pairs.map(([ours]) => ours)),
        other: { name: "raw Node server", value: spreadOf(pairs.map(([, theirs]) => theirs)) },
        ratio: spreadOf(ratiosOf(pairs)),
        target: { atMost: 1.5 },
        pairs: pairs.length,
        faults,
      },
    ],
    raw: { streams: plan.idleStreams, rounds: shown },
  };
}

/** The conversations are begun in one process and woken in another: no worker has them in its memory. */
async function measureWake(site: Site, plan: Plan, say: (line: string) => void): Promise<Measured> {
  const ids = Array.from({ length: plan.conversations }, () => `talk-${randomUUID()}`);
  const first = await site.fresh("main", folderName);
  const beginning = new Conversations(first.url);
  try {
    await each(ids, plan.concurrency, (id) => beginning.start(id, tenant, withinMs));
  } finally {
    await beginning.close();
    await first.stop();
  }
  say(`  ${String(ids.length)} conversations wait, in no process' memory`);
  const second = await site.fresh("main", folderName);
  const conversations = new Conversations(second.url);
  const open: Conversation[] = [];
  try {
    await each(ids, plan.concurrency, async (id) => void open.push(await conversations.open(id)));
    const turn = async (name: string): Promise<TurnSlice> => {
      const tookMs: number[] = [];
      const cpuBefore = readCpu(site.programs);
      const begin = performance.now();
      await each(open, plan.concurrency, async (one) => {
        const at = performance.now();
        await one.say("And another one.", withinMs);
        tookMs.push(performance.now() - at);
      });
      const cpu = cpuBetween(cpuBefore, readCpu(site.programs));
      const sorted = tookMs.toSorted((a, b) => a - b);
      const generatorShare = ((cpu.programs.get("generator") ?? 0) * 1000) / (performance.now() - begin);
      const limit = generatorFault(generatorShare, plan.maxGeneratorShare);
      const noise =
        cpu.othersShare > plan.maxOthersShare
          ? [`${name}: others used ${(cpu.othersShare * 100).toFixed(0)} % of the machine`]
          : [];
      const [p50Ms, p99Ms] = [quantile(sorted, 0.5), quantile(sorted, 0.99)];
      say(`  ${name}: p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms`);
      return {
        faults: [...(limit === undefined ? [] : [limit]), ...noise],
        othersShare: cpu.othersShare,
        p50Ms,
        p99Ms,
        generatorShare,
      };
    };
    const woken = await turn("woken");
    const warm = await turn("warm");
    const comparison: Comparison = {
      id: "B8",
      what: `p99 from a message to the end of its turn, ${String(ids.length)} idle conversations woken, ${String(plan.concurrency)} at once`,
      unit: "ms",
      ours: spreadOf([woken.p99Ms]),
      other: { name: "the same again, warm", value: spreadOf([warm.p99Ms]) },
      ratio: spreadOf([woken.p99Ms / warm.p99Ms]),
      target: { atMost: 5 },
      pairs: 1,
      generatorShare: Math.max(woken.generatorShare, warm.generatorShare),
      faults: [...woken.faults, ...warm.faults],
    };
    return { comparisons: [comparison], raw: { conversations: ids.length, woken, warm } };
  } finally {
    for (const one of open) one.close();
    await conversations.close();
    await second.stop();
  }
}

/** Some at once, each begun when another ended. */
async function each<Item>(items: readonly Item[], atOnce: number, work: (item: Item) => Promise<void>): Promise<void> {
  const left = items.values();
  const loop = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, loop));
}
