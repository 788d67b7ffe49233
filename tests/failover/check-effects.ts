import type { RunRecords } from "./records.ts";
import { endings, eventsBySession, groupBy, textOf, type LedgerEvent } from "./record-views.ts";

/** Attempts that one step may take: a minute's outage at up to five seconds between two tries, and a death or two. */
const maxAttempts = 40;

const modelRequests = (records: RunRecords) =>
  records.requests.filter(({ target, path }) => target === "slm" && path.startsWith("/v1/chat"));

interface Intended {
  readonly session: string;
  readonly events: readonly LedgerEvent[];
  readonly intents: readonly LedgerEvent[];
}

/** The session of each effect key that the ledger knows. */
function intentsByKey(records: RunRecords): Map<string, Intended> {
  const found = new Map<string, Intended>();
  for (const [session, events] of eventsBySession(records)) {
    const intents = events.filter(({ type }) => type === "effect.intended");
    for (const intent of intents) found.set(textOf(intent, "effect_key"), { session, events, intents });
  }
  return found;
}

export function findRepeatedEffects(records: RunRecords): string[] {
  const finished = modelRequests(records).filter((request) => request.finished && !request.replayed);
  const journaled = [...groupBy(records.generations, ({ effectKey }) => effectKey)].flatMap(([key, lines]) =>
    lines.length > 1 ? [`${key}: the model's journal has ${String(lines.length)} generations`] : [],
  );
  const atTarget = [...groupBy(finished, ({ effectKey }) => effectKey ?? "")].flatMap(([key, requests]) =>
    requests.length > 1 ? [`${key}: the model finished ${String(requests.length)} generations`] : [],
  );
  const recorded = [...eventsBySession(records)].flatMap(([id, events]) => {
    const outcomes = groupBy(
      events.filter(({ type }) => type === "effect.completed" || type === "effect.failed"),
      (event) => textOf(event, "step"),
    );
    return [...outcomes].flatMap(([step, all]) =>
      all.length > 1 ? [`${id}: ${step} has ${String(all.length)} outcomes`] : [],
    );
  });
  return [...atTarget, ...journaled, ...recorded];
}

export function findUnpermittedEffects(records: RunRecords): string[] {
  return [...eventsBySession(records)].flatMap(([id, events]) =>
    events.flatMap((event, index) => {
      if (event.type !== "effect.intended") return [];
      const decision = events
        .slice(0, index)
        .findLast(({ type, data }) => type === "policy.decided" && data["decision_id"] === event.data["decision_id"]);
      const holds =
        decision !== undefined &&
        decision.data["effect_key"] === event.data["effect_key"] &&
        decision.data["action_digest"] === event.data["action_digest"] &&
        Date.parse(textOf(decision, "expires_at")) >= event.at;
      return holds ? [] : [`${id}: the intent at ${String(event.sequence)} has no decision that holds`];
    }),
  );
}

export function findUnintendedEffects(records: RunRecords): string[] {
  const intended = intentsByKey(records);
  const atTarget = modelRequests(records).flatMap(({ effectKey = "no key", at }) => {
    const first = intended.get(effectKey)?.intents[0];
    return first && first.at <= at ? [] : [`${effectKey}: the model was asked before an intent was recorded`];
  });
  const recorded = [...eventsBySession(records)].flatMap(([id, events]) =>
    events.flatMap((event, index) => {
      if (event.type !== "effect.completed" && event.type !== "effect.failed") return [];
      const before = events
        .slice(0, index)
        .some(({ type, data }) => type === "effect.intended" && data["effect_key"] === event.data["effect_key"]);
      return before ? [] : [`${id}: ${event.type} at ${String(event.sequence)} follows no intent`];
    }),
  );
  return [...atTarget, ...recorded];
}

/** After a denial, a requested cancellation or the end nothing is intended, and the model is not asked. */
export function findEffectsAfterStop(records: RunRecords): string[] {
  const recorded = [...eventsBySession(records)].flatMap(([id, events]) => {
    const stop = events.findIndex((event) => isStop(event));
    return events
      .slice(stop === -1 ? events.length : stop)
      .flatMap(({ type, sequence }) =>
        type === "effect.intended" ? [`${id}: an effect is intended at ${String(sequence)}, after the stop`] : [],
      );
  });
  const intended = intentsByKey(records);
  const atTarget = modelRequests(records).flatMap(({ effectKey = "", at }) => {
    const known = intended.get(effectKey);
    const end = known?.events.find(({ type }) => endings.has(type));
    return known && end && at > end.at ? [`${known.session}: the model was asked after ${end.type}`] : [];
  });
  return [...recorded, ...atTarget];
}

function isStop({ type, data }: LedgerEvent): boolean {
  return (
    type === "session.cancel_requested" || endings.has(type) || (type === "policy.decided" && data["allowed"] !== true)
  );
}

/** The model service wrote down what it generated before it said so, and the ledger names the same number of tokens. */
export function findPhantomOutcomes(records: RunRecords): string[] {
  const journal = groupBy(records.generations, ({ effectKey }) => effectKey);
  return [...eventsBySession(records)].flatMap(([id, events]) =>
    events.flatMap((event) => {
      if (event.type !== "effect.completed") return [];
      const tokens = completionTokens(event);
      const real = (journal.get(textOf(event, "effect_key")) ?? []).some(
        (line) => line.completionTokens === tokens && line.at <= event.at,
      );
      return real ? [] : [`${id}: no generation of ${String(tokens)} tokens stands behind effect.completed`];
    }),
  );
}

function completionTokens({ data: { usage } }: LedgerEvent): unknown {
  return typeof usage === "object" && usage !== null && "completion_tokens" in usage
    ? usage.completion_tokens
    : undefined;
}

export function findUnboundedRetries(records: RunRecords): string[] {
  const activities = records.workflows.flatMap(({ workflowId, attempts }) =>
    attempts.flatMap(({ activity, attempt }) =>
      attempt > maxAttempts ? [`${workflowId}: ${activity} was tried ${String(attempt)} times`] : [],
    ),
  );
  const asked = [...groupBy(modelRequests(records), ({ effectKey }) => effectKey ?? "")].flatMap(([key, requests]) =>
    requests.length > maxAttempts ? [`${key}: the model was asked ${String(requests.length)} times`] : [],
  );
  return [...activities, ...asked];
}
