import { EventStreamParser, type ServerSentEvent } from "./event-stream.ts";
import { isPassing, retryDelayMs, sleep } from "./retry-policy.ts";
import { isTerminal, type AuditEvent, type Delta, type EventGap } from "./shapes.ts";
import { SomaError } from "./soma-error.ts";
import { TextPosition } from "./text-position.ts";
import { fillPath, noConnection, type CallOptions, type Transport } from "./transport.ts";

/**
 * What a watched session says: an event of its ledger, a piece of its answer, or that events are not there any more. With
 * `anew` the answer begins anew with this piece, and what came of it before does not count.
 */
export type SessionUpdate =
  | { readonly kind: "event"; readonly event: AuditEvent }
  | { readonly kind: "delta"; readonly delta: Delta; readonly anew?: true }
  | { readonly kind: "gap"; readonly gap: EventGap };

export interface WatchOptions extends CallOptions {
  /** Events after this `sequence`; 0, all of them, unless given. */
  readonly after?: number;
  /** How often to connect anew without a new event or piece between; 10 unless given. */
  readonly maxReconnects?: number;
  /** A connection on which nothing comes for so long is given up; the server sends a heartbeat every 10 s. 30,000 unless given. */
  readonly idleTimeoutMs?: number;
}

const endings: ReadonlySet<string> = new Set([
  "session.completed",
  "session.denied",
  "session.failed",
  "session.canceled",
  "session.timed_out",
] satisfies AuditEvent["type"][]);

/** A connection that stood for so long counts as progress: a session may wait for hours behind a proxy that ends streams. */
const steadyMs = 10_000;

/**
 * A session's ledger from after a position to its last event, each event once and without gap, whatever happens to the
 * connection: it is made anew, after a wait that grows, and goes on after the last event, and in the text of the running
 * step after the last letter, that came.
 * @throws SomaError when the server refuses, or STREAM_LOST when connections bring nothing again and again.
 */
export async function* watchSession(
  transport: Transport,
  id: string,
  options: WatchOptions = {},
): AsyncGenerator<SessionUpdate, void, undefined> {
  const { signal, maxReconnects = 10, idleTimeoutMs = 30_000 } = options;
  let after = options.after ?? 0;
  const last = { requestId: "" };
  const text = new TextPosition();
  for (let failures = 0; ;) {
    const begin = performance.now();
    let isNew = false;
    let error: SomaError | undefined;
    try {
      const from = { after, deltaAfter: text.deltaAfter };
      for await (const update of connect(transport, id, { ...from, signal, idleTimeoutMs, last })) {
        if (update.kind === "event") {
          // A server that comes back may send what came already; a hole is filled by asking again.
          if (update.event.sequence <= after) continue;
          if (update.event.sequence !== after + 1) break;
          after = update.event.sequence;
          text.pass(update.event);
        }
        if (update.kind === "gap") {
          if (update.gap.to <= after) continue;
          after = update.gap.to;
        }
        if (update.kind === "delta") {
          const piece = text.take(update.delta);
          if (piece === "hole") break;
          if (piece === "known") continue;
          isNew = true;
          yield { kind: "delta", delta: piece.delta, ...(piece.anew && { anew: true }) };
          continue;
        }
        isNew = true;
        yield update;
        if (update.kind === "event" && endings.has(update.event.type)) return;
      }
      if (!isNew && (await hasEnded(transport, id, after, signal))) return;
    } catch (caught) {
      if (!(caught instanceof SomaError) || !isPassing(caught)) throw caught;
      error = caught;
      last.requestId = caught.requestId;
    }
    failures = isNew || performance.now() - begin >= steadyMs ? 1 : failures + 1;
    if (failures > maxReconnects) throw streamLost(id, { after, failures, requestId: last.requestId, cause: error });
    await sleep(retryDelayMs(failures, error?.retryAfterSeconds, Math.random()), signal);
  }
}

interface Connection {
  readonly after: number;
  readonly deltaAfter: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly idleTimeoutMs: number;
  /** Of the connection that was opened last. */
  readonly last: { requestId: string };
}

async function* connect(
  transport: Transport,
  id: string,
  { after, deltaAfter: delta_after, signal, idleTimeoutMs, last }: Connection,
): AsyncGenerator<SessionUpdate> {
  const stop = new AbortController();
  let idle = false;
  const giveUp = (): void => {
    idle = true;
    stop.abort();
  };
  let timer = setTimeout(giveUp, idleTimeoutMs);
  try {
    const stream = await transport.openStream(
      fillPath("/v1/sessions/{id}/events", { path: { id }, query: { tenant: transport.tenant, delta_after } }),
      { accept: "text/event-stream", ...(after > 0 && { "last-event-id": String(after) }) },
      signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
    );
    last.requestId = stream.requestId;
    const parser = new EventStreamParser();
    const reader = stream.body.getReader();
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      clearTimeout(timer);
      for (const message of parser.push(chunk.value)) {
        const update = readUpdate(message, stream.requestId);
        if (update) yield update;
      }
      // How long the reader of updates takes is not the server's silence.
      timer = setTimeout(giveUp, idleTimeoutMs);
    }
  } catch (error) {
    if (error instanceof SomaError) throw error;
    signal?.throwIfAborted();
    if (!idle) throw noConnection(error, last.requestId, "the stream");
    const detail = `The stream was silent for ${String(idleTimeoutMs)} ms.`;
    throw new SomaError("TIMED_OUT", detail, { requestId: last.requestId, cause: error });
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

/** The message as an update; undefined for one that this client does not know. */
function readUpdate(message: ServerSentEvent, requestId: string): SessionUpdate | undefined {
  try {
    if (message.type === "delta") {
      const delta: Delta = JSON.parse(message.data);
      return { kind: "delta", delta };
    }
    if (message.id === undefined) return undefined;
    if (message.type === "gap") {
      const gap: EventGap = JSON.parse(message.data);
      if (String(gap.to) !== message.id) throw new TypeError("the gap has another position than its message");
      return { kind: "gap", gap };
    }
    const event: AuditEvent = JSON.parse(message.data);
    if (String(event.sequence) !== message.id) throw new TypeError("the event has another position than its message");
    return { kind: "event", event };
  } catch (error) {
    throw new SomaError("BAD_RESPONSE", "The stream holds what is no event.", { status: 200, requestId, cause: error });
  }
}

/** A stream that ends at once and empty may be that of a session which ended before. */
async function hasEnded(
  transport: Transport,
  id: string,
  after: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const view = await transport.call("/v1/sessions/{id}", "get", {
    parameters: { path: { id }, query: { ...(transport.tenant !== undefined && { tenant: transport.tenant }) } },
    ...(signal && { signal }),
  });
  return isTerminal(view.status) && view.last_seq <= after;
}

interface Lost {
  readonly after: number;
  readonly failures: number;
  readonly requestId: string;
  readonly cause: SomaError | undefined;
}

function streamLost(id: string, { after, failures, requestId, cause }: Lost): SomaError {
  const detail = `The stream of ${id} brought nothing new ${String(failures)} times in a row; it stands at event ${String(after)}.`;
  return new SomaError("STREAM_LOST", detail, { requestId, cause });
}
