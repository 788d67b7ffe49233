import type { EventType } from "@soma/contracts/audit";

const lastEventTypes: ReadonlySet<EventType> = new Set<EventType>([
  "session.completed",
  "session.denied",
  "session.failed",
  "session.canceled",
  "session.timed_out",
]);

/** True for the types of event after which a session's ledger has no other. */
export function isLastEvent(type: EventType): boolean {
  return lastEventTypes.has(type);
}
