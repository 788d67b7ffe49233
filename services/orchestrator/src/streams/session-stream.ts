import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { AuditEvent } from "@soma/contracts/audit";
import type { Delta } from "@soma/contracts/session-stream";
import { isTerminal } from "@soma/contracts/session";
import type { Ledger } from "../ledger/ledger.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import type { EventTail } from "./event-tail.ts";
import { isLastEvent } from "./last-event.ts";
import { deltaFrame, eventFrame, framesOf, gapFrame } from "./stream-frames.ts";
import type { StreamTexts } from "./stream-texts.ts";

/** A reader that leaves this much unread is dropped; it resumes by `Last-Event-ID`. */
const maxUnsentBytes = 1_048_576;
/** A reader of the past sets the pace; one that takes nothing for this long is dropped, too. */
const stalledMs = 20_000;
const pageSize = 200;

interface StreamDeps {
  readonly ledger: Ledger;
  readonly tail: EventTail;
  /** Absent for who may read no text. */
  readonly texts?: StreamTexts;
}

/**
 * Writes a session's ledger as server-sent events from after a position: first what is there, then what comes, and
 * ends after the session's last event. `id` is the event's `sequence`; deltas of texts have none, so that a reader who
 * reconnects resumes at a durable event. Between the events the deltas of each model step's last attempt are its text.
 */
export class SessionStream {
  readonly #deps: StreamDeps;
  readonly #row: SessionRow;
  readonly #out: ServerResponse;
  #sent: number;
  /** The newest event that the tail has shown; a page that was read before it is not the last. */
  #noticed = 0;
  #unsubscribe: (() => void)[] = [];
  /** Set while something is written that takes time: what comes meanwhile is fetched after it. */
  #catchingUp: Promise<void> | undefined;
  /** The past was read: texts of the present come after it. */
  #isPresent = false;
  #gone: AbortController | undefined;
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
    try {
      await this.#follow();
    } catch {
      // The ledger cannot be read now: the reader comes back by itself and resumes where it was.
      this.end();
    }
  }

  /** Shows reader and proxies that the stream is alive. */
  beat(): void {
    this.#write(": \n\n");
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#gone?.abort();
    this.#cleanUp();
    this.#out.end();
  }

  async #follow(): Promise<void> {
    const { tail, texts } = this.#deps;
    // Subscribed before the past is read: what is appended in between comes by one way or the other.
    const unsubscribe = await tail.subscribe(this.#row.session_id, (events) => {
      this.#next(events);
    });
    this.#unsubscribe.push(unsubscribe);
    if (texts !== undefined && !isTerminal(this.#row.status))
      this.#unsubscribe.push(await texts.follow((growth) => this.#tell(growth)));
    if (this.#ended) this.#cleanUp();
    await this.#catchUp();
    if (isTerminal(this.#row.status) && this.#sent >= this.#row.last_seq) this.end();
  }

  #cleanUp(): void {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
  }

  /** In order or not at all: events that do not follow the last one are fetched with those before them. */
  #next(events: readonly AuditEvent[]): void {
    const [first, last] = [events[0], events.at(-1)];
    if (first === undefined || last === undefined || first.tenant !== this.#row.tenant) return;
    if (last.sequence <= this.#sent || this.#ended) return;
    this.#noticed = Math.max(this.#noticed, last.sequence);
    if (first.sequence !== this.#sent + 1 || this.#catchingUp) return void this.#catchUp();
    if (this.#deps.texts?.endIn(events) === true) return void this.#alone(() => this.#sendTold(events));
    this.#sent = last.sequence;
    this.#write(framesOf(events));
    if (isLastEvent(last.type)) this.end();
  }

  #catchUp(): Promise<void> {
    return this.#alone(() => this.#readPages());
  }

  /** One after the other; what was noticed meanwhile is fetched when it is done. */
  #alone(work: () => Promise<void>): Promise<void> {
    this.#catchingUp ??= work()
      // A ledger that cannot be read ends the stream; the reader resumes where it was.
      .catch(() => this.end())
      .finally(() => {
        this.#catchingUp = undefined;
        if (this.#ended) return;
        if (this.#noticed > this.#sent) void this.#catchUp();
        else if (this.#isPresent && this.#deps.texts?.isBehind() === true) void this.#alone(() => this.#tellRunning());
      });
    return this.#catchingUp;
  }

  async #readPages(): Promise<void> {
    const { tenant, session_id: sessionId } = this.#row;
    while (!this.#ended) {
      const events = await this.#deps.ledger.readEvents({ tenant, sessionId, after: this.#sent, limit: pageSize });
      const next = events[0]?.sequence ?? this.#row.last_seq + 1;
      if (next > this.#sent + 1) await this.#tellGap();
      for (const event of events) await this.#sendWithText(event);
      if (events.length > 0 || this.#sent < this.#noticed) continue;
      this.#isPresent = true;
      return this.#tellRunning();
    }
  }

  /** Of events that are not there it is asked once why, and only before any other is told. */
  async #tellGap(): Promise<void> {
    if (this.#isPresent) return;
    const { tenant, session_id: sessionId } = this.#row;
    const gap = await this.#deps.ledger.gapOf({ tenant, sessionId });
    if (gap === undefined || gap.to <= this.#sent) return;
    this.#sent = gap.to;
    this.#write(gapFrame(gap));
  }

  /** Events of the present with texts that they end: for a reader who has all of those, what all such readers get. */
  async #sendTold(events: readonly AuditEvent[]): Promise<void> {
    const last = events.at(-1);
    if (last === undefined || (await this.#deps.texts?.lacksNoneIn(events)) !== true) {
      for (const event of events) await this.#sendWithText(event);
      return;
    }
    if (this.#ended) return;
    this.#sent = last.sequence;
    this.#write(framesOf(events));
    if (isLastEvent(last.type)) this.end();
  }

  async #sendWithText(event: AuditEvent): Promise<void> {
    for (const delta of (await this.#deps.texts?.restBefore(event)) ?? []) {
      this.#write(deltaFrame(delta));
      await this.#drained();
    }
    if (this.#ended) return;
    this.#sent = event.sequence;
    this.#write(eventFrame(event));
    if (isLastEvent(event.type)) this.end();
    await this.#drained();
  }

  /** A growth that follows what the reader has is written as it is; any other way what he lacks is looked up. */
  #tell(growth: Delta): void {
    if (this.#ended || !this.#isPresent || this.#catchingUp !== undefined || this.#noticed > this.#sent) return;
    if (this.#deps.texts?.takes(growth) === true) this.#write(deltaFrame(growth));
    else void this.#alone(() => this.#tellRunning());
  }

  async #tellRunning(): Promise<void> {
    const { texts, tail } = this.#deps;
    if (texts === undefined) return;
    while (!this.#ended) {
      const beginning = texts.beginning();
      if (beginning.length > 0) await tail.flush();
      // Events that were recorded before a text began come before it.
      if (this.#noticed > this.#sent) return;
      texts.admit(beginning);
      const delta = texts.next();
      if (delta === undefined) return;
      this.#write(deltaFrame(delta));
      await this.#drained();
    }
  }

  /** Without this a past beyond the bound would be written at once, and no reader, however fast, would ever get through it. */
  async #drained(): Promise<void> {
    if (this.#ended || !this.#out.writableNeedDrain) return;
    this.#gone ??= new AbortController();
    try {
      await once(this.#out, "drain", {
        signal: AbortSignal.any([this.#gone.signal, AbortSignal.timeout(stalledMs)]),
      });
    } catch {
      if (!this.#ended) this.#out.destroy();
    }
  }

  #write(frames: string | Buffer): void {
    if (this.#out.writableEnded || this.#out.destroyed) return;
    this.#out.write(frames);
    if (this.#out.writableLength > maxUnsentBytes) this.#out.destroy();
  }
}
