import { integerOf, textOf, type StoredRow } from "./stored-row.ts";
import type { DayUse, HeldReservation } from "./tenant-days.ts";

/** A row of `tenant_usage`. */
export function dayUseOf(row: StoredRow): DayUse {
  return {
    spent: { tokens: integerOf(row, "tokens"), cost_micros: integerOf(row, "cost_micros") },
    reserved: { tokens: integerOf(row, "reserved_tokens"), cost_micros: integerOf(row, "reserved_cost_micros") },
  };
}

/** A row of `tenant_reservations`. */
export function heldReservationOf(row: StoredRow): HeldReservation {
  return {
    effect_key: textOf(row, "effect_key"),
    session_id: textOf(row, "session_id"),
    day: textOf(row, "day"),
    amount: { tokens: integerOf(row, "tokens"), cost_micros: integerOf(row, "cost_micros") },
  };
}
