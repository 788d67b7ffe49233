import type { AuditEvent, NewEvent } from "@soma/contracts/audit";
import type { Reservation } from "@soma/contracts/budget";
import type { TenantQuotas } from "@soma/contracts/tenant";
import { outcomeOfFailure, sumOf } from "./session-budget.ts";
import { quotaExceeded } from "./refusals.ts";
import { ShortageError } from "./shortage-error.ts";
import { secondsLeftOf } from "./tenant-admission.ts";
import { dayOf } from "./tenant-store.ts";
import { typedEvent } from "./typed-event.ts";

/** What a tenant used on a day in UTC, and what is set aside for effects that are under way. */
export interface DayUse {
  readonly spent: Reservation;
  readonly reserved: Reservation;
}

/** Set aside for an effect without an outcome; the day is that of its intent, whenever the outcome comes. */
export interface HeldReservation {
  readonly effect_key: string;
  readonly session_id: string;
  readonly day: string;
  readonly amount: Reservation;
}

export type DayQuotas = Partial<Pick<TenantQuotas, "tokens_per_day" | "cost_micros_per_day">>;

/** As much of a tenant's days as some events can change. */
export interface TenantDays {
  readonly quotas: DayQuotas;
  readonly days: ReadonlyMap<string, DayUse>;
  /** By effect key. */
  readonly held: ReadonlyMap<string, HeldReservation>;
}

const nothing: Reservation = { tokens: 0, cost_micros: 0 };
export const unusedDay: DayUse = { spent: nothing, reserved: nothing };

export const noDays: TenantDays = { quotas: {}, days: new Map(), held: new Map() };

/** Whether an event, new in the ledger, can change what its tenant's days hold. */
export function concernsDays(type: AuditEvent["type"]): boolean {
  return type.startsWith("effect.") || ends.has(type);
}

/** Whether the tenant's quotas have a say: an intent for which something is to be set aside. */
export function needsQuotas(event: Pick<NewEvent, "type" | "data">): boolean {
  return event.type === "effect.intended" && "reserved" in event.data;
}

/** The days that such events can change, in their order; an end changes only days on which something is held. */
export function daysConcerned(
  events: readonly Pick<NewEvent, "type" | "data">[],
  held: ReadonlyMap<string, HeldReservation>,
  today: string,
): string[] {
  const days = new Set([...held.values()].map(({ day }) => day));
  if (events.some((event) => event.type === "effect.completed" || needsQuotas(event))) days.add(today);
  return [...days].toSorted();
}

/**
 * The tenant's days after one more event of a session of his. Pure: replaying the events gives the same. It goes beside
 * the session's own budget, in the same append, so that a tenant's day is exact over all of his sessions.
 *
 * @throws ShortageError QUOTA_EXCEEDED for an intent whose worst case the day has no room for
 */
export function tenantDaysAfter(before: TenantDays, event: AuditEvent): TenantDays {
  if (ends.has(event.type)) return forfeitAllOf(before, event.subject);
  if (!concernsDays(event.type)) return before;
  const { type, data } = typedEvent(event);
  if (type === "effect.intended") {
    const { effect_key, reserved = nothing } = data;
    return hold(before, { effect_key, session_id: event.subject, day: dayOf(event.time), amount: reserved }, event);
  }
  if (type === "effect.completed") {
    const { effect_key, usage, cost_micros = 0 } = data;
    return settle(before, effect_key, { tokens: usage.total_tokens, cost_micros }, dayOf(event.time));
  }
  if (type === "effect.failed") {
    const held = before.held.get(data.effect_key);
    if (held === undefined) return before;
    const used = outcomeOfFailure(data.code) === "released" ? nothing : held.amount;
    return settle(before, data.effect_key, used, held.day);
  }
  // A memory's step uses no model: nothing is set aside for it, and nothing counts.
  return before;
}

/** The same effect again gives back what it had first, on whichever day that was. */
function hold(before: TenantDays, wanted: HeldReservation, { time }: AuditEvent): TenantDays {
  const free = settle(before, wanted.effect_key, nothing, wanted.day);
  const { tokens, cost_micros } = wanted.amount;
  if (tokens === 0 && cost_micros === 0) return free;
  const use = free.days.get(wanted.day) ?? unusedDay;
  const reserved = sumOf(use.reserved, wanted.amount);
  const total = sumOf(use.spent, reserved);
  const { tokens_per_day, cost_micros_per_day } = free.quotas;
  const left = secondsLeftOf(new Date(time));
  if (tokens_per_day !== undefined && tokens > 0 && total.tokens > tokens_per_day)
    throw new ShortageError("tokens_per_day", quotaExceeded("tokens_per_day", tokens_per_day, left));
  if (cost_micros_per_day !== undefined && cost_micros > 0 && total.cost_micros > cost_micros_per_day)
    throw new ShortageError("cost_micros_per_day", quotaExceeded("cost_micros_per_day", cost_micros_per_day, left));
  return {
    ...free,
    days: new Map(free.days).set(wanted.day, { ...use, reserved }),
    held: new Map(free.held).set(wanted.effect_key, wanted),
  };
}

/** An effect for which nothing was set aside, as before this was kept, counts on the day of its outcome. */
function settle(before: TenantDays, effectKey: string, used: Reservation, today: string): TenantDays {
  const own = before.held.get(effectKey);
  if (own === undefined && used.tokens === 0 && used.cost_micros === 0) return before;
  const day = own?.day ?? today;
  const use = before.days.get(day) ?? unusedDay;
  const held = new Map(before.held);
  held.delete(effectKey);
  const reserved = differenceOf(use.reserved, own?.amount ?? nothing);
  return { ...before, held, days: new Map(before.days).set(day, { spent: sumOf(use.spent, used), reserved }) };
}

function forfeitAllOf(before: TenantDays, sessionId: string): TenantDays {
  return [...before.held.values()]
    .filter(({ session_id }) => session_id === sessionId)
    .reduce((days, { effect_key, amount, day }) => settle(days, effect_key, amount, day), before);
}

function differenceOf(one: Reservation, other: Reservation): Reservation {
  return {
    tokens: Math.max(0, one.tokens - other.tokens),
    cost_micros: Math.max(0, one.cost_micros - other.cost_micros),
  };
}

/** After these nothing is under way in a session. */
const ends: ReadonlySet<AuditEvent["type"]> = new Set([
  "session.completed",
  "session.denied",
  "session.failed",
  "session.canceled",
  "session.timed_out",
]);
