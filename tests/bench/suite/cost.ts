import { setTimeout as sleep } from "node:timers/promises";
import type { WorkflowExecutionDescription, WorkflowHandle } from "@temporalio/client";
import { sessionTarget } from "../load/targets.ts";
import type { Plan } from "../plan.ts";
import type { Comparison, Measured } from "../result.ts";
import type { Site } from "../site.ts";
import { spreadOf } from "../statistics.ts";
import { readRpcCounts, rpcsBetween } from "../temporal-rpcs.ts";

/** docs/reference/cost-of-a-session.md; the RPCs are those of a client that also asks Temporal for the result. */
const model = { events: 14, transactions: 5, rpcs: 6 };

/** What the orchestrator asks every few seconds to see whether Temporal is there. */
const healthCheck = "DescribeNamespace";

/**
 * B1: what a session costs Temporal, as Temporal counts it. Run before anything else polls this server; what the idle
 * server and worker call by themselves in the same time is measured beside it and taken off.
 */
export async function measureCost(site: Site, plan: Plan): Promise<Measured> {
  const { url } = await site.variant("ours");
  const target = sessionTarget(url);
  try {
    for (let index = 0; index < 5; index += 1) await target.runOne();
    // A session's last event comes before the last RPC of its workflow.
    await sleep(1_000);
    const before = await readRpcCounts(site.temporalMetricsUrl);
    const begin = performance.now();
    const ids: string[] = [];
    for (let index = 0; index < plan.counted; index += 1) ids.push(await target.runOne());
    await sleep(1_000);
    const tookMs = performance.now() - begin;
    const called = rpcsBetween(before, await readRpcCounts(site.temporalMetricsUrl));
    const idleBefore = await readRpcCounts(site.temporalMetricsUrl);
    await sleep(tookMs);
    const idle = rpcsBetween(idleBefore, await readRpcCounts(site.temporalMetricsUrl));
    const byOperation = Object.fromEntries(
      [...called]
        .filter(([name]) => name !== healthCheck)
        .map(([name, count]) => [name, Math.max(0, count - (idle.get(name) ?? 0)) / ids.length]),
    );
    const rpcs = Object.values(byOperation).reduce((sum, one) => sum + one, 0);
    const wrong = (await Promise.all(ids.map((id) => target.checkOne(id)))).filter((answer) => answer !== undefined);
    const sessions = await Promise.all(ids.map((id) => countOne(site, id)));
    const compare = (what: string, counts: readonly number[], expected: number): Comparison => ({
      id: "B1",
      what,
      unit: "a session",
      ours: spreadOf(counts),
      other: { name: "model", value: spreadOf([expected]) },
      ratio: spreadOf(counts.map((count) => count / expected)),
      target: { atMost: 1.05 },
      pairs: counts.length,
      faults: wrong,
    });
    return {
      comparisons: [
        compare(
          "history events",
          sessions.map(({ events }) => events),
          model.events,
        ),
        compare(
          "database transactions of Temporal",
          sessions.map(({ transactions }) => transactions),
          model.transactions,
        ),
        compare("RPCs at Temporal's frontend, mean of all", [rpcs], model.rpcs),
      ],
      raw: { model, sessions, rpcs: byOperation, idleRpcs: Object.fromEntries(idle) },
    };
  } finally {
    await target.close();
  }
}

/** Asked again and again, because the result itself is encrypted for the orchestrator alone. */
async function ended(handle: WorkflowHandle): Promise<WorkflowExecutionDescription["raw"]> {
  for (;;) {
    const { raw, status } = await handle.describe();
    if (status.name !== "RUNNING") return raw;
    await sleep(20);
  }
}

async function countOne(site: Site, id: string): Promise<{ events: number; transactions: number }> {
  const handle = site.temporal.workflow.getHandle(`session-${id}`);
  const raw = await ended(handle);
  const history = await handle.fetchHistory();
  return {
    events: history.events?.length ?? 0,
    transactions: Number(raw.workflowExecutionInfo?.stateTransitionCount),
  };
}
