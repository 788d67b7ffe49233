import type { ServerResponse } from "node:http";
import { DomainError } from "@soma/kit/domain-error";
import type { Logger } from "@soma/kit/logger";
import type { Gauge } from "@soma/kit/metrics";
import type { Ledger } from "../ledger/ledger.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import type { DeltaHub } from "./delta-hub.ts";
import { EventTail } from "./event-tail.ts";
import { SessionStream } from "./session-stream.ts";

const maxStreams = 2_000;

/** The open event streams of a process: bounded in number, ended when the service stops. */
export class StreamRegistry {
  readonly #ledger: Ledger;
  readonly #deltas: DeltaHub;
  readonly #tail: EventTail;
  readonly #open = new Set<SessionStream>();
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
    this.#open.add(stream);
    this.#gauge.set(this.#open.size);
    out.on("close", () => {
      this.#open.delete(stream);
      this.#gauge.set(this.#open.size);
    });
    await stream.start();
  }

  async close(): Promise<void> {
    for (const stream of this.#open) stream.end();
    await this.#tail.close();
  }
}
