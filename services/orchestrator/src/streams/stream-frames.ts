import type { AuditEvent, EventGap } from "@soma/contracts/audit";
import { streamFrames, type Delta } from "@soma/contracts/session-stream";

/** Made once for all streams that are given the same object: writing each out anew is what a stream would cost most of all. */
const made = new WeakMap<object, Buffer>();

function once<Said extends object>(said: Said, write: (said: Said) => string): Buffer {
  const known = made.get(said);
  if (known !== undefined) return known;
  const bytes = Buffer.from(write(said));
  made.set(said, bytes);
  return bytes;
}

/** An event as a server-sent event. */
function frameOf(event: AuditEvent): string {
  return `id: ${String(event.sequence)}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

export function eventFrame(event: AuditEvent): Buffer {
  return once(event, frameOf);
}

/** Several events as one piece of bytes. */
export function framesOf(events: readonly AuditEvent[]): Buffer {
  return once(events, (all) => all.map((event) => frameOf(event)).join(""));
}

/** Without an id: nobody resumes at what is not durable. */
export function deltaFrame(delta: Delta): Buffer {
  return once(delta, (said) => `event: ${streamFrames.delta}\ndata: ${JSON.stringify(said)}\n\n`);
}

/** Resumed at as if the last of the missing events had been read. */
export function gapFrame(gap: EventGap): string {
  return `id: ${String(gap.to)}\nevent: ${streamFrames.gap}\ndata: ${JSON.stringify(gap)}\n\n`;
}
