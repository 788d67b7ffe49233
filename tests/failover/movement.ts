import { setTimeout as sleep } from "node:timers/promises";
import type { Client, WorkflowExecutionDescription } from "@temporalio/client";
import type { Measure } from "./records.ts";

const lookEveryMs = 200;
const giveUpMs = 60_000;

/** Each open session's place in its history, before a fault. */
export type Baseline = ReadonlyMap<string, number>;

export async function takeBaseline(client: Client, sessions: readonly string[]): Promise<Baseline> {
  const found = await Promise.all(sessions.map(async (id) => [id, await describe(client, id)] as const));
  return new Map(
    found.flatMap(([id, description]) =>
      description?.status.name === "RUNNING" ? [[id, description.historyLength] as const] : [],
    ),
  );
}

/**
 * Watches the sessions of a baseline until each has moved after `since`: its workflow closed, its history grew, or an
 * activity of it was started or gave a sign of life by a worker that lives.
 */
export async function measureMovement(
  client: Client,
  baseline: Baseline,
  since: number,
  about: Pick<Measure, "kind" | "fault">,
  deadPid?: number,
): Promise<Measure> {
  const waiting = new Map(baseline);
  const movedAfter: number[] = [];
  while (waiting.size > 0 && Date.now() - since < giveUpMs) {
    await Promise.all(
      [...waiting].map(async ([id, length]) => {
        const description = await describe(client, id);
        if (!description || !hasMoved(description, length, since, deadPid)) return;
        waiting.delete(id);
        movedAfter.push(Math.max(0, Date.now() - since));
      }),
    );
    await sleep(lookEveryMs);
  }
  movedAfter.push(...[...waiting].map(() => giveUpMs));
  return {
    ...about,
    sessions: baseline.size,
    firstMs: Math.min(...movedAfter),
    slowestMs: Math.max(...movedAfter),
  };
}

function hasMoved(
  { raw, status, historyLength }: WorkflowExecutionDescription,
  length: number,
  since: number,
  deadPid: number | undefined,
): boolean {
  if (status.name !== "RUNNING" || historyLength > length) return true;
  return (raw.pendingActivities ?? []).some(
    ({ lastStartedTime, lastHeartbeatTime, lastWorkerIdentity }) =>
      !(lastWorkerIdentity ?? "").startsWith(`${String(deadPid)}@`) &&
      Math.max(millisecondsOf(lastStartedTime), millisecondsOf(lastHeartbeatTime)) > since,
  );
}

function millisecondsOf(time: { seconds?: unknown; nanos?: number | null } | null | undefined): number {
  return time ? Number(time.seconds) * 1_000 + Math.floor((time.nanos ?? 0) / 1e6) : 0;
}

/** Undefined while Temporal does not answer, or for a session without a workflow. */
async function describe(client: Client, session: string): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await client.withDeadline(Date.now() + 2_000, () =>
      client.workflow.getHandle(`session-${session}`).describe(),
    );
  } catch {
    return undefined;
  }
}
