import { errors } from "@soma/contracts/error-codes";
import type { Answer, RunRecords } from "./records.ts";
import { eventsBySession, labelOf } from "./record-views.ts";

/** What every token of ours looks like: three parts in base64url, the first an object. */
const jwt = /eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}/;

export function findLeaks(records: RunRecords): string[] {
  return records.sinks.flatMap(({ place, text, promptsAllowed }) => [
    ...(jwt.test(text) ? [`a token stands in ${place}`] : []),
    ...(!promptsAllowed && records.canaries.some((canary) => text.includes(canary))
      ? [`a prompt stands in ${place}`]
      : []),
  ]);
}

export function findForeignSight(records: RunRecords): string[] {
  const tenants = new Map(records.client.map(({ label, tenant }) => [label, tenant]));
  const read = records.client.flatMap(({ label, foreignReads }) =>
    foreignReads.flatMap(({ status }) =>
      status === 404 || status === 503 || status === null
        ? []
        : [`${label}: another tenant's read was answered with ${String(status)}`],
    ),
  );
  const recorded = [...eventsBySession(records)].flatMap(([id, events]) => {
    const tenant = tenants.get(labelOf(events) ?? "");
    return tenant === undefined || events.every((event) => event.tenant === tenant)
      ? []
      : [`${id} of ${tenant} has events of another tenant`];
  });
  return [...read, ...recorded];
}

export function findUnreturnedResources({ resources }: RunRecords): string[] {
  return Object.entries(resources).flatMap(([name, count]: [string, number]) =>
    count === 0 ? [] : [`${name}: ${String(count)} at the end`],
  );
}

/** Whatever was refused says so by a code of the closed set; a stream that was cut was cut by a fault. */
export function findSilentDrops(records: RunRecords): string[] {
  const refusals = records.client.flatMap(({ label, starts, cancels }) =>
    [...starts, ...cancels].flatMap((answer) =>
      isNamed(answer) ? [] : [`${label}: refused with ${String(answer.status)} and no code of ours`],
    ),
  );
  // An API process's last moment and the return of its port; a reader learns of a death at once, on one machine.
  const deaths = records.fired.filter(({ part }) => part === "orchestrator");
  const streams = records.client.flatMap(({ label, streams: connections }) =>
    connections.flatMap(({ complete, left, status, endedAt }) =>
      complete ||
      left ||
      status === 503 ||
      deaths.some(({ killedAt, backAt }) => endedAt >= killedAt - 500 && endedAt <= backAt + 2_000)
        ? []
        : [`${label}: a stream was cut while no fault hit the API`],
    ),
  );
  return [...refusals, ...streams];
}

function isNamed({ status, code }: Answer): boolean {
  return status === null || status < 400 || (code !== undefined && Object.hasOwn(errors, code));
}

export function findMissingFaults({ planned, fired }: RunRecords): string[] {
  if (planned.length === 0) return ["no fault was planned"];
  return planned.flatMap(({ id, part }) => {
    const fault = fired.find((one) => one.id === id);
    if (!fault) return [`${id} (${part}) did not fire`];
    const dead = fault.pids.length > 0 && fault.goneAt >= fault.killedAt && fault.backAt > fault.goneAt;
    if (!dead) return [`${id} (${part}) ended no process, or it did not come back`];
    return fault.openSessions > 0 ? [] : [`${id} (${part}) hit nothing: no session was open`];
  });
}

const boundsMs = { "worker-death": 15_000, "temporal-back": 20_000 } as const;

export function findSlowRecoveries({ measures, fired }: RunRecords): string[] {
  const slow = measures.flatMap(({ kind, fault, slowestMs }) =>
    slowestMs <= boundsMs[kind]
      ? []
      : [`${fault}: the last session moved after ${String(slowestMs)} ms; ${String(boundsMs[kind])} ms are allowed`],
  );
  const unmeasured = fired.flatMap(({ id, part }) =>
    ["temporal", "orchestrator", "worker"].includes(part) && !measures.some(({ fault }) => fault === id)
      ? [`${id}: the way back was not measured`]
      : [],
  );
  return [...slow, ...unmeasured];
}
