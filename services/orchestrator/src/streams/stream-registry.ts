import type { ServerResponse } from "node:http";
import { DomainError } from "@soma/kit/domain-error";
import type { Logger } from "@soma/kit/logger";
import type { Gauge } from "@soma/kit/metrics";
import type { Ledger } from "../ledger/ledger.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { DeltaHub } from "./delta-hub.ts";
import { EventTail } from "./event-tail.ts";
import { followSession, type Followed } from "./session-follower.ts";
import { SessionStream } from "./session-stream.ts";

/** Shorter than any proxy on the way waits for a byte, and than the server's own time limit on a silent connection. */
const quietMs = 8_000;

/** What is ended when the service stops. */
interface OpenStream {
  end(): void;
}
/** Nothing is ever published here. */
const noDeltas = new DeltaHub();

/** The open event streams of a process: bounded in number, ended when the service stops. */
export class StreamRegistry {
  readonly #ledger: Ledger;
  readonly #deltas: DeltaHub;
  readonly #tail: EventTail;
  readonly #open = new Set<OpenStream>();
  readonly #closing = new AbortController();
  readonly #openOf = new Map<string, number>();
  readonly #gauge: Gauge;

  readonly #max: number;

  /** `max`: streams of all tenants at once. */
  constructor(ledger: Ledger, deltas: DeltaHub, log: Logger, gauge: Gauge, max = 2_000) {
    this.#max = max;
    this.#ledger = ledger;
    this.#deltas = deltas;
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

  /**
   * Streams a session's events after a position; resolves when the stream runs. Without `text`, for those who may read
   * none, it has no deltas.
   */
  async open(row: SessionRow, out: ServerResponse, after: number, { text = true } = {}): Promise<void> {
    const deltas = text ? this.#deltas : noDeltas;
    const stream = new SessionStream({ ledger: this.#ledger, tail: this.#tail, deltas }, row, out, after);
    this.#track(row.tenant, stream, out);
    await stream.start();
  }

  /** Counts a stream of another protocol, whose events come by {@link follow}, until its connection closes. */
  count(tenant: string, out: ServerResponse): void {
    this.#track(tenant, { end: endsWithItsEvents }, out);
  }

  /** A session's events and deltas for a reader in this process; ends with the signal, too, and when the service stops. */
  follow(row: SessionRow, after: number, signal: AbortSignal): AsyncGenerator<Followed> {
    return followSession({ ledger: this.#ledger, tail: this.#tail, deltas: this.#deltas }, row, {
      after,
      quietMs,
      signal: AbortSignal.any([signal, this.#closing.signal]),
    });
  }

  #track(tenant: string, stream: OpenStream, out: ServerResponse): void {
    this.#open.add(stream);
    this.#count(tenant, 1);
    out.on("close", () => {
      this.#open.delete(stream);
      this.#count(tenant, -1);
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const stream of this.#open) stream.end();
    await this.#tail.close();
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
