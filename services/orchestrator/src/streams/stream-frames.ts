import type { AuditEvent } from "@soma/contracts/audit";

const batches = new WeakMap<readonly AuditEvent[], Buffer>();

/** An event as a server-sent event. */
export function frameOf(event: AuditEvent): string {
  return `id: ${String(event.sequence)}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/**
 * Several events as one piece of bytes. Made once for all streams that are given the same list: with a thousand readers
 * writing each event out anew is what a stream would cost most of all.
 */
export function framesOf(events: readonly AuditEvent[]): Buffer {
  const known = batches.get(events);
  if (known !== undefined) return known;
  const bytes = Buffer.from(events.map((event) => frameOf(event)).join(""));
  batches.set(events, bytes);
  return bytes;
}
