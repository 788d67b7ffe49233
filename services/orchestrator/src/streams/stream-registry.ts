import type { ServerResponse } from "node:http";
import { DomainError } from "@soma/kit/domain-error";
import type { Logger } from "@soma/kit/logger";
import type { Gauge } from "@soma/kit/metrics";
import type { Ledger } from "../ledger/ledger.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import type { DeltaHub } from "./delta-hub.ts";
import { EventTail } from "./event-tail.ts";
import { followSession, type Followed } from "./session-follower.ts";
import { SessionStream } from "./session-stream.ts";

const maxStreams = 2_000;
/** Shorter than any proxy on the way waits for a byte, and than the server's own time limit on a silent connection. */
const quietMs = 8_000;

/** What is ended when the service stops. */
interface OpenStream {
  end(): void;
}

/** The open event streams of a process: bounded in number, ended when the service stops. */
export class StreamRegistry {
  readonly #ledger: Ledger;
  readonly #deltas: DeltaHub;
  readonly #tail: EventTail;
  readonly #open = new Set<OpenStream>();
  readonly #closing = new AbortController();
  readonly #gauge: Gauge;

  constructor(ledger: Ledger, deltas: DeltaHub, log: Logger, gauge: Gauge) {
    this.#ledger = ledger;
    this.#deltas = deltas;
    this.#gauge = gauge;
    this.#tail = new EventTail(ledger, log);
  }

  /** @throws DomainError TOO_MANY_STREAMS, before anything is written. */
  assertRoom(): void {
    if (this.#open.size >= maxStreams) {
      throw new DomainError(
        "TOO_MANY_STREAMS",
        `${String(maxStreams)} streams are open; read pages by \`after\`, or try again.`,
        { retryAfterSeconds: 5 },
      );
    }
  }

  /** Streams a session's events after a position; resolves when the stream runs. */
  async open(row: SessionRow, out: ServerResponse, after: number): Promise<void> {
    const stream = new SessionStream({ ledger: this.#ledger, tail: this.#tail, deltas: this.#deltas }, row, out, after);
    this.#track(stream, out);
    await stream.start();
  }

  /** Counts a stream of another protocol, whose events come by {@link follow}, until its connection closes. */
  count(out: ServerResponse): void {
    this.#track({ end: endsWithItsEvents }, out);
  }

  /** A session's events and deltas for a reader in this process; ends with the signal, too, and when the service stops. */
  follow(row: SessionRow, after: number, signal: AbortSignal): AsyncGenerator<Followed> {
    return followSession({ ledger: this.#ledger, tail: this.#tail, deltas: this.#deltas }, row, {
      after,
      quietMs,
      signal: AbortSignal.any([signal, this.#closing.signal]),
    });
  }

  #track(stream: OpenStream, out: ServerResponse): void {
    this.#open.add(stream);
    this.#gauge.set(this.#open.size);
    out.on("close", () => {
      this.#open.delete(stream);
      this.#gauge.set(this.#open.size);
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const stream of this.#open) stream.end();
    await this.#tail.close();
  }
}

function endsWithItsEvents(): void {
  // When the service stops, what is followed ends, and the stream can say so in its own words.
}
