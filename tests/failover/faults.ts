import { setTimeout as sleep } from "node:timers/promises";
import type { PartName } from "../../scripts/stack/src/part.ts";
import { findOwned, sendSignal } from "../../scripts/stack/src/processes/owned-processes.ts";
import { until } from "../harness/until.ts";
import { measureMovement, takeBaseline, type Baseline } from "./movement.ts";
import type { Load } from "./load.ts";
import type { FaultPart, FaultPlan } from "./plan.ts";
import type { FiredFault, Measure } from "./records.ts";
import type { World } from "./world.ts";

/** A fault strikes while at least so many sessions are under way, of those that are left. */
const wantedOpen = 3;

interface Fired {
  readonly fault: FiredFault;
  readonly measure?: Measure;
}

/** The model and the Ray that it runs on are one fault: neither is of use without the other. */
const partsOf: Readonly<Record<Exclude<FaultPart, "worker">, readonly PartName[]>> = {
  temporal: ["temporal"],
  orchestrator: ["orchestrator"],
  "policy-engine": ["policy-engine"],
  "identity-service": ["identity-service"],
  slm: ["ray", "slm"],
  kafka: ["kafka"],
};

/** Kills a part with -9 while sessions are open, leaves it away, brings it back, and measures how sessions go on. */
export async function fire(world: World, load: Load, plan: FaultPlan, stop: AbortSignal): Promise<Fired> {
  await sleep(plan.pauseMs, undefined, { signal: stop });
  const minOpen = Math.max(1, Math.min(wantedOpen, load.left));
  await until(
    `${String(minOpen)} sessions are open for ${plan.id}`,
    () => {
      if (stop.aborted || world.ledger.openSessions().length >= minOpen) return true;
      load.press(2 * minOpen);
      return undefined;
    },
    45_000,
  );
  stop.throwIfAborted();
  const open = world.ledger.openSessions();
  const baseline = await takeBaseline(world.temporal, open);
  const deadPid = pidOf(world, plan.part);
  const killedAt = Date.now();
  const pids = await kill(world, plan.part);
  const goneAt = Date.now();
  const death =
    plan.part === "orchestrator" || plan.part === "worker"
      ? measureMovement(world.temporal, baseline, killedAt, { kind: "worker-death", fault: plan.id }, deadPid)
      : undefined;
  await sleep(plan.awayMs);
  const [backAt, back] = await bringBack(world, plan, baseline);
  const measure = (await death) ?? back;
  return {
    fault: { id: plan.id, part: plan.part, pids, killedAt, goneAt, backAt, openSessions: open.length },
    ...(measure && { measure }),
  };
}

function pidOf({ stack, worker }: World, part: FaultPart): number | undefined {
  return part === "worker" ? worker.pid : stack.state.parts.find(({ name }) => name === part)?.process?.pid;
}

/** Kills every process of the part and resolves, with their ids, when all are gone. */
async function kill({ stack, worker }: World, part: FaultPart): Promise<number[]> {
  if (part === "worker") {
    const pid = worker.pid;
    await worker.kill();
    return pid === undefined ? [] : [pid];
  }
  const { marker, parts } = stack.state;
  const names = partsOf[part];
  const ofPart = () =>
    names.flatMap((name) => {
      const leader = parts.find((state) => state.name === name)?.process;
      return findOwned({ marker: `${marker}/${name}`, leaders: leader ? [leader] : [] });
    });
  const pids = ofPart().map(({ pid }) => pid);
  for (const pid of pids) sendSignal(pid, "SIGKILL");
  for (const name of names) await stack.kill(name, "SIGKILL");
  await until(`the processes of ${part} are gone`, () => {
    const left = ofPart();
    for (const { pid } of left) sendSignal(pid, "SIGKILL");
    return left.length === 0 ? true : undefined;
  });
  return [...new Set(pids)];
}

async function bringBack(
  { stack, worker, temporal }: World,
  { id, part }: FaultPlan,
  baseline: Baseline,
): Promise<[backAt: number, measure?: Measure]> {
  if (part === "worker") {
    await worker.start();
    return [Date.now()];
  }
  const [first = "ray"] = partsOf[part];
  const restarted = stack.restart(first);
  if (part !== "temporal") {
    await restarted;
    return [Date.now()];
  }
  // From its first true answer on, which comes before the stack's own probe is through.
  const answered = until("Temporal answers", async () => {
    try {
      await temporal.withDeadline(Date.now() + 1_000, () =>
        temporal.workflowService.describeNamespace({ namespace: "default" }),
      );
      return Date.now();
    } catch {
      return undefined;
    }
  });
  const backAt = await answered;
  const measure = await measureMovement(temporal, baseline, backAt, { kind: "temporal-back", fault: id });
  await restarted;
  return [backAt, measure];
}
