import type { AuditEvent, EventData, EventType, NewEvent } from "@soma/contracts/audit";
import type { Dependency } from "@soma/contracts/wire-names";
import type { ErrorCode } from "@soma/contracts/error-codes";
import type { SessionRow } from "../ledger/session-row.ts";

type EventOf<T extends EventType> = Extract<NewEvent, { type: T }>;

/** The events that an effect ends with when it was done. */
const effectOutcomes = ["effect.completed", "memory.recalled", "memory.remembered"] as const;
export type EffectOutcome = (typeof effectOutcomes)[number];

const endings: ReadonlySet<EventType> = new Set(["effect.failed", ...effectOutcomes]);

/** The steps whose effect was intended and has no outcome, good or bad, in events that follow one another. */
export function openSteps(events: readonly Pick<AuditEvent, "type" | "data">[]): string[] {
  const open = new Set<string>();
  for (const { type, data } of events) {
    if (type === "effect.intended") open.add(String(data["step"]));
    else if (endings.has(type)) open.delete(String(data["step"]));
  }
  return [...open];
}

/** Who and where an event is about, from the session's row. */
export function eventContext(row: SessionRow): Pick<NewEvent, "tenant" | "session_id" | "user" | "agent" | "authn"> {
  return { tenant: row.tenant, session_id: row.session_id, user: row.user, agent: row.agent, authn: row.authn };
}

/** One per outage, however often the step is tried meanwhile: keyed by the position of what the session knew before it. */
export function unavailableEvent(
  row: SessionRow,
  step: string,
  dependency: Dependency,
  code: ErrorCode,
): EventOf<"dependency.unavailable"> {
  const data: EventData<"dependency.unavailable"> = { step, dependency, code };
  return {
    ...eventContext(row),
    type: "dependency.unavailable",
    key: `${step}/${dependency}/unavailable/${String(row.last_seq)}`,
    data,
  };
}

/** Nothing, unless the session was waiting for this dependency. */
export function recoveredEvents(
  row: SessionRow,
  step: string,
  dependency: Dependency,
): EventOf<"dependency.recovered">[] {
  if (row.blocked_on !== dependency) return [];
  return [
    {
      ...eventContext(row),
      type: "dependency.recovered",
      key: `${step}/${dependency}/recovered/${String(row.last_seq)}`,
      data: { step, dependency },
    },
  ];
}

/** One per pause: keyed by the position of what the session knew before it. */
export function pauseEvent(
  row: SessionRow,
  step: string,
  type: "session.paused" | "session.resumed",
): EventOf<"session.paused" | "session.resumed"> {
  const data = { step, reason: "tenant_suspended" } as const;
  return { ...eventContext(row), type, key: `${step}/${type}/${String(row.last_seq)}`, data };
}

/** Keys of the events of a step that are read back. */
export const stepKeys = {
  decided: (step: string, round: number): string => `${step}/policy.decided/${String(round)}`,
  tokenIssued: (step: string, round: number): string => `${step}/token.issued/${String(round)}`,
  intended: (step: string, round: number): string => `${step}/effect.intended/${String(round)}`,
  exhausted: (step: string, round: number): string => `${step}/budget.exhausted/${String(round)}`,
  completed: (step: string): string => `${step}/effect.completed`,
  outcome: (step: string, type: EffectOutcome): string => `${step}/${type}`,
  failed: (step: string): string => `${step}/effect.failed`,
};
