import type { ServerResponse } from "node:http";
import { DomainError } from "@soma/kit/domain-error";
import type { Logger } from "@soma/kit/logger";
import type { Gauge } from "@soma/kit/metrics";
import type { Ledger } from "../ledger/ledger.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { DeltaTail } from "./delta-tail.ts";
import { EventTail } from "./event-tail.ts";
import { FinalTexts } from "./final-texts.ts";
import type { Deltas } from "./open-deltas.ts";
import { followSession, type Followed } from "./session-follower.ts";
import { SessionStream } from "./session-stream.ts";
import { StreamTexts, type TextSources } from "./stream-texts.ts";
import type { TextPlace } from "./text-places.ts";

/** Shorter than any proxy on the way waits for a byte, and than the server's own time limit on a silent connection. */
const quietMs = 8_000;
const heartbeatMs = 10_000;

/** What is ended when the service stops. */
interface OpenStream {
  end(): void;
  /** Shows that it is alive; absent for one that does so by itself. */
  beat?(): void;
}

interface From {
  /** Events after this `sequence`. */
  readonly after: number;
  /** How far the reader has come in the text of a running step. */
  readonly place?: TextPlace | undefined;
  /** False for those who may read no text: without deltas. True unless given. */
  readonly text?: boolean;
}

/** The open event streams of a process: bounded in number, ended when the service stops. */
export class StreamRegistry {
  readonly #ledger: Ledger;
  readonly #texts: TextSources;
  readonly #tail: EventTail;
  readonly #open = new Set<OpenStream>();
  readonly #closing = new AbortController();
  readonly #openOf = new Map<string, number>();
  readonly #gauge: Gauge;
  #heartbeat: NodeJS.Timeout | undefined;

  readonly #max: number;

  /** `max`: streams of all tenants at once. */
  constructor(ledger: Ledger, deltas: Deltas, log: Logger, gauge: Gauge, max = 2_000) {
    this.#max = max;
    this.#ledger = ledger;
    this.#texts = {
      hub: deltas.hub,
      tail: new DeltaTail(deltas, ledger, log),
      finals: new FinalTexts(ledger, log),
    };
    this.#gauge = gauge;
    this.#tail = new EventTail(ledger, log);
  }

  /**
   * Whether one more stream may open: of this process, and of a tenant's quota in it.
   *
   * @throws DomainError TOO_MANY_STREAMS, before anything is written.
   */
  assertRoom(quota: { readonly tenant: string; readonly streams: number }): void {
    if ((this.#openOf.get(quota.tenant) ?? 0) >= quota.streams) {
      throw new DomainError(
        "TOO_MANY_STREAMS",
        `The tenant's quota streams (${String(quota.streams)}) is used up; read pages by \`after\`, or try again.`,
        { retryAfterSeconds: 5 },
      );
    }
    if (this.#open.size >= this.#max) {
      throw new DomainError(
        "TOO_MANY_STREAMS",
        `${String(this.#max)} streams are open; read pages by \`after\`, or try again.`,
        { retryAfterSeconds: 5 },
      );
    }
  }

  /** Streams a session's events and texts from a place; resolves when the stream runs. */
  async open(row: SessionRow, out: ServerResponse, { after, place, text = true }: From): Promise<void> {
    const texts = text ? new StreamTexts(this.#texts, row, place) : undefined;
    const deps = { ledger: this.#ledger, tail: this.#tail, ...(texts && { texts }) };
    const stream = new SessionStream(deps, row, out, after);
    this.#track(row.tenant, stream, out);
    await stream.start();
  }

  /** Counts a stream of another protocol, whose events come by {@link follow}, until its connection closes. */
  count(tenant: string, out: ServerResponse): void {
    this.#track(tenant, { end: endsWithItsEvents }, out);
  }

  /** A session's events and deltas for a reader in this process; ends with the signal, too, and when the service stops. */
  follow(row: SessionRow, after: number, signal: AbortSignal): AsyncGenerator<Followed> {
    return followSession({ ledger: this.#ledger, tail: this.#tail, texts: this.#texts }, row, {
      after,
      quietMs,
      signal: AbortSignal.any([signal, this.#closing.signal]),
    });
  }

  #track(tenant: string, stream: OpenStream, out: ServerResponse): void {
    this.#open.add(stream);
    this.#count(tenant, 1);
    // One for all streams: a timer for each is memory that an idle one does not need.
    this.#heartbeat ??= setInterval(() => {
      for (const one of this.#open) one.beat?.();
    }, heartbeatMs);
    out.on("close", () => {
      this.#open.delete(stream);
      this.#count(tenant, -1);
      if (this.#open.size > 0) return;
      clearInterval(this.#heartbeat);
      this.#heartbeat = undefined;
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const stream of this.#open) stream.end();
    clearInterval(this.#heartbeat);
    await Promise.all([this.#tail.close(), this.#texts.tail.close()]);
  }

  #count(tenant: string, change: 1 | -1): void {
    const open = (this.#openOf.get(tenant) ?? 0) + change;
    if (open > 0) this.#openOf.set(tenant, open);
    else this.#openOf.delete(tenant);
    this.#gauge.set(this.#open.size);
  }
}

function endsWithItsEvents(): void {
  // When the service stops, what is followed ends, and the stream can say so in its own words.
}
