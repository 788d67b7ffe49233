import type { RunRecords, SessionKind } from "./records.ts";
import { acknowledged, endings, eventsBySession, labelOf, textOf } from "./record-views.ts";

export function findLostSessions(records: RunRecords): string[] {
  const known = eventsBySession(records);
  const workflows = new Set(records.workflows.map(({ workflowId }) => workflowId));
  const ids = new Set(records.client.flatMap((session) => acknowledged(session)));
  const unrecorded = [...ids].filter((id) => known.get(id)?.[0]?.type !== "session.created");
  const unstarted = [...ids].filter((id) => !workflows.has(`session-${id}`));
  return [
    ...unrecorded.map((id) => `${id} was acknowledged and is not in the ledger`),
    ...unstarted.map((id) => `${id} was acknowledged and has no workflow`),
  ];
}

/** A request without id and key cannot be repeated, so that each of its attempts may have made a session. */
export function findGhosts(records: RunRecords): string[] {
  const asked = new Map(records.client.map((session) => [session.label, session]));
  const known = eventsBySession(records);
  const found: string[] = [];
  const counts = new Map<string, number>();
  for (const [id, events] of known) {
    const label = labelOf(events) ?? "";
    if (!asked.has(label)) found.push(`${id} is in the ledger and no client asked for it`);
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  for (const { label, kind, starts } of records.client) {
    const count = counts.get(label) ?? 0;
    if (kind === "unnamed" && count > starts.length)
      found.push(`${label} was asked for ${String(starts.length)} times and is there ${String(count)} times`);
  }
  for (const { workflowId } of records.workflows)
    if (!known.has(workflowId.replace(/^session-/, ""))) found.push(`${workflowId} runs for no session of the ledger`);
  return found;
}

export function findSplitSessions(records: RunRecords): string[] {
  const labels = [...eventsBySession(records).values()].map((events) => labelOf(events));
  return records.client.flatMap((session) => {
    if (session.kind === "unnamed") return [];
    const ids = new Set(acknowledged(session));
    const stored = labels.filter((label) => label === session.label).length;
    return [
      ...(ids.size > 1 ? [`${session.label} was told several sessions: ${[...ids].join(", ")}`] : []),
      ...(stored > 1 ? [`${session.label} is in the ledger ${String(stored)} times`] : []),
      ...(session.sessionId !== undefined && [...ids].some((id) => id !== session.sessionId)
        ? [`${session.label} asked for ${session.sessionId} and was told another`]
        : []),
    ];
  });
}

export function findStuckSessions(records: RunRecords): string[] {
  const views = new Map(records.api.map((view) => [view.sessionId, view]));
  return [...eventsBySession(records)].flatMap(([id, events]) => {
    if (events.some(({ type }) => endings.has(type))) return [];
    const view = views.get(id);
    return view?.blockedOn === undefined
      ? [`${id} (${labelOf(events) ?? "?"}) neither ended nor says what blocks it: ${events.at(-1)?.type ?? "empty"}`]
      : [];
  });
}

/** What the workflow's end must be for each last event. A denial is a result, not a failure. */
const temporalEnd: Readonly<Record<string, string>> = {
  completed: "COMPLETED",
  denied: "COMPLETED",
  failed: "FAILED",
  canceled: "CANCELLED",
  timed_out: "TIMED_OUT",
};

export function findStatusDisagreements(records: RunRecords): string[] {
  const views = new Map(records.api.map((view) => [view.sessionId, view]));
  const workflows = new Map(records.workflows.map((workflow) => [workflow.workflowId, workflow]));
  return [...eventsBySession(records)].flatMap(([id, events]) => {
    const end = events.findLast(({ type }) => endings.has(type))?.type.replace("session.", "");
    if (end === undefined) {
      const status = workflows.get(`session-${id}`)?.status ?? "RUNNING";
      return status === "RUNNING" ? [] : [`${id}: ${status} in Temporal, and the ledger has no end`];
    }
    const found: string[] = [];
    const view = views.get(id);
    if (view && view.status !== end) found.push(`${id}: the API says ${view.status}, the ledger ${end}`);
    const workflow = workflows.get(`session-${id}`);
    if (!workflow) {
      // A start that was given up has no workflow; everything else that happened needed one.
      if (events.length > 3 || events.some(({ type }) => type.startsWith("effect.")))
        found.push(`${id}: ${end} in the ledger, and Temporal knows no workflow`);
      return found;
    }
    const result = workflow.result ?? end;
    // A workflow that finds its session closed before it began ends as failed.
    const closedBefore = workflow.status === "FAILED" && !events.some(({ type }) => type === "policy.decided");
    if ((workflow.status !== temporalEnd[end] || result !== end) && !closedBefore)
      found.push(`${id}: ${end} in the ledger, ${workflow.status} ${result} in Temporal`);
    return found;
  });
}

const terminal: ReadonlySet<string> = new Set(Object.keys(temporalEnd));

export function findReturnsFromTheEnd(records: RunRecords): string[] {
  const seen = records.client.flatMap(({ label, statuses }) => {
    const at = statuses.findIndex((status) => terminal.has(status));
    return at !== -1 && at < statuses.length - 1 ? [`${label} was seen as ${statuses.join(" → ")}`] : [];
  });
  const appended = [...eventsBySession(records)].flatMap(([id, events]) => {
    const at = events.findIndex(({ type }) => endings.has(type));
    return at !== -1 && at < events.length - 1
      ? [`${id}: ${events[at + 1]?.type ?? ""} follows ${events[at]?.type ?? ""}`]
      : [];
  });
  return [...seen, ...appended];
}

/** Kinds of sessions and the ends that they may come to, whatever is killed meanwhile. */
const promisedEnds: Readonly<Record<SessionKind, readonly string[]>> = {
  plain: ["completed"],
  unnamed: ["completed"],
  keyed: ["completed"],
  streamed: ["completed"],
  canceled: ["canceled", "completed"],
  denied: ["denied"],
};

/** What nobody could finish any more: the model stayed away to the limit, or a start that cannot be repeated was given up. */
const outagesThatEnd: ReadonlySet<string> = new Set(["MODEL_UNAVAILABLE", "TEMPORAL_UNAVAILABLE"]);

/** An outage is waited for: it neither fails a session nor denies it. */
export function findBrokenPromises(records: RunRecords): string[] {
  const kinds = new Map(records.client.map(({ label, kind }) => [label, kind]));
  return [...eventsBySession(records)].flatMap(([id, events]) => {
    const kind = kinds.get(labelOf(events) ?? "");
    const end = events.findLast(({ type }) => endings.has(type));
    if (kind === undefined || end === undefined) return [];
    const status = end.type.replace("session.", "");
    const code = textOf(end, "code");
    const promised = promisedEnds[kind].includes(status) || (status === "failed" && outagesThatEnd.has(code));
    return promised ? [] : [`${id} (${kind}) ended as ${status} ${code}`];
  });
}
