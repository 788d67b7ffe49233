import { request, type Agent } from "undici";
import { endings } from "./record-views.ts";
import type { StreamConnection } from "./records.ts";

/** Reads one connection of an event stream: to the session's end, to its own leave, or as far as it came. */
export async function readConnection(
  url: string,
  after: number,
  dispatcher: Agent,
  leaveAfter: number,
  stop: AbortSignal,
): Promise<StreamConnection> {
  const openedAt = Date.now();
  const events: { id: string; json: string }[] = [];
  let status: number | null = null;
  let complete = false;
  const leave = new AbortController();
  try {
    const answer = await request(url, {
      dispatcher,
      headers: { accept: "text/event-stream", "last-event-id": String(after) },
      bodyTimeout: 30_000,
      signal: AbortSignal.any([leave.signal, stop]),
    });
    status = answer.statusCode;
    let pending = "";
    const decoder = new TextDecoder();
    for await (const bytes of answer.body) {
      pending += decoder.decode(bytes, { stream: true });
      const blocks = pending.split("\n\n");
      pending = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = readBlock(block);
        if (event) events.push(event);
        if (event && endings.has(event.type)) complete = true;
      }
      if (events.length >= leaveAfter && !complete) break;
    }
  } catch {
    // Cut: what was read until then was read.
  } finally {
    leave.abort();
  }
  const left = !complete && events.length >= leaveAfter;
  return {
    after,
    openedAt,
    endedAt: Date.now(),
    status,
    complete,
    ...(left && { left: true }),
    events: events.map(({ id, json }) => ({ id, json })),
  };
}

/** Deltas have no id: they are not of the ledger. */
function readBlock(block: string): { id: string; type: string; json: string } | undefined {
  const fields = new Map(
    block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const [id, type, json] = [fields.get("id"), fields.get("event"), fields.get("data")];
  return id === undefined || type === undefined || json === undefined ? undefined : { id, type, json };
}
