import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { AuditEvent } from "@soma/contracts/audit";
import { isTerminal } from "@soma/contracts/session";
import type { Ledger } from "../ledger/ledger.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import type { Delta, DeltaHub } from "./delta-hub.ts";
import type { EventTail } from "./event-tail.ts";
import { isLastEvent } from "./last-event.ts";
import { frameOf, framesOf } from "./stream-frames.ts";

const heartbeatMs = 10_000;
/** A reader that leaves this much unread is dropped; it resumes by `Last-Event-ID`. */
const maxUnsentBytes = 1_048_576;
/** A reader of the past sets the pace; one that takes nothing for this long is dropped, too. */
const stalledMs = 20_000;
const pageSize = 200;

interface StreamDeps {
  readonly ledger: Ledger;
  readonly tail: EventTail;
  readonly deltas: DeltaHub;
}

/**
 * Writes a session's ledger as server-sent events from after a position: first what is there, then what comes, and
 * ends after the session's last event. `id` is the event's `sequence`; deltas of texts in the making have none, so
 * that a reader who reconnects resumes at a durable event.
 */
export class SessionStream {
  readonly #deps: StreamDeps;
  readonly #row: SessionRow;
  readonly #out: ServerResponse;
  #sent: number;
  /** The newest event that the tail has shown; a page that was read before it is not the last. */
  #noticed = 0;
  #unsubscribe: (() => void)[] = [];
  #catchingUp: Promise<void> | undefined;
  readonly #gone = new AbortController();
  #ended = false;

  constructor(deps: StreamDeps, row: SessionRow, out: ServerResponse, after: number) {
    this.#deps = deps;
    this.#row = row;
    this.#out = out;
    this.#sent = after;
  }

  /** Resolves when the stream runs; it ends by itself, with the reader, or by {@link end}. */
  async start(): Promise<void> {
    this.#out.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    });
    this.#out.on("close", () => {
      this.end();
    });
    this.#write("retry: 1000\n\n");
    const heartbeat = setInterval(() => {
      this.#write(": \n\n");
    }, heartbeatMs);
    this.#unsubscribe.push(() => {
      clearInterval(heartbeat);
    });
    try {
      await this.#follow();
    } catch {
      // The ledger cannot be read now: the reader comes back by itself and resumes where it was.
      this.end();
    }
  }

  async #follow(): Promise<void> {
    const { tail, deltas } = this.#deps;
    const { session_id } = this.#row;
    // Subscribed before the past is read: what is appended in between comes by one way or the other.
    const unsubscribe = await tail.subscribe(session_id, (events) => {
      this.#next(events);
    });
    this.#unsubscribe.push(
      unsubscribe,
      deltas.subscribe(session_id, (delta) => this.#sendDelta(delta)),
    );
    if (this.#ended) this.#cleanUp();
    await this.#catchUp();
    if (isTerminal(this.#row.status) && this.#sent >= this.#row.last_seq) this.end();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#gone.abort();
    this.#cleanUp();
    this.#out.end();
  }

  #cleanUp(): void {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
  }

  /** In order or not at all: events that do not follow the last one are fetched with those before them. */
  #next(events: readonly AuditEvent[]): void {
    const [first, last] = [events[0], events.at(-1)];
    if (first === undefined || last === undefined || first.tenant !== this.#row.tenant) return;
    if (last.sequence <= this.#sent || this.#ended) return;
    this.#noticed = last.sequence;
    if (first.sequence !== this.#sent + 1 || this.#catchingUp) return void this.#catchUp();
    this.#sent = last.sequence;
    this.#write(framesOf(events));
    if (isLastEvent(last.type)) this.end();
  }

  #catchUp(): Promise<void> {
    this.#catchingUp ??= this.#readPages().finally(() => {
      this.#catchingUp = undefined;
      if (!this.#ended && this.#noticed > this.#sent) void this.#catchUp();
    });
    return this.#catchingUp;
  }

  async #readPages(): Promise<void> {
    const { tenant, session_id: sessionId } = this.#row;
    while (!this.#ended) {
      const events = await this.#deps.ledger
        .readEvents({ tenant, sessionId, after: this.#sent, limit: pageSize })
        .catch(() => undefined);
      // A ledger that cannot be read ends the stream; the reader resumes where it was.
      if (!events) return this.end();
      for (const event of events) {
        this.#send(event);
        await this.#drained();
      }
      if (events.length === 0 && this.#sent >= this.#noticed) return;
    }
  }

  /** Without this a past beyond the bound would be written at once, and no reader, however fast, would ever get through it. */
  async #drained(): Promise<void> {
    if (this.#ended || !this.#out.writableNeedDrain) return;
    try {
      const signal = AbortSignal.any([this.#gone.signal, AbortSignal.timeout(stalledMs)]);
      await once(this.#out, "drain", { signal });
    } catch {
      if (!this.#ended) this.#out.destroy();
    }
  }

  #send(event: AuditEvent): void {
    if (this.#ended) return;
    this.#sent = event.sequence;
    this.#write(frameOf(event));
    if (isLastEvent(event.type)) this.end();
  }

  #sendDelta(delta: Delta): void {
    this.#write(`event: delta\ndata: ${JSON.stringify(delta)}\n\n`);
  }

  #write(frames: string | Buffer): void {
    if (this.#out.writableEnded || this.#out.destroyed) return;
    this.#out.write(frames);
    if (this.#out.writableLength > maxUnsentBytes) this.#out.destroy();
  }
}
