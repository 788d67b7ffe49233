import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";

/** A reader that takes nothing for this long is dropped: what it misses must not be kept for it. */
const dropAfterMs = 20_000;

/**
 * Writes server-sent events at the pace of their reader. Nothing is sent before the first one, so that a failure until
 * then is still an HTTP status.
 */
export class EventSink {
  readonly #reply: FastifyReply;
  readonly #out: ServerResponse;
  readonly #gone = new AbortController();
  readonly #stalledMs: number;
  #begun = false;

  constructor(reply: FastifyReply, stalledMs = dropAfterMs) {
    this.#stalledMs = stalledMs;
    this.#reply = reply;
    this.#out = reply.raw;
    // A session may be silent for longer than the server lets a connection be; that its reader has gone is seen by its close.
    reply.raw.socket?.setTimeout(0);
    this.#out.on("close", () => {
      if (!this.#out.writableFinished) this.#gone.abort();
    });
  }

  /** Fires when the reader has gone, of itself or because it was dropped. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  get begun(): boolean {
    return this.#begun;
  }

  /** Resolves when there is room for more. */
  async write(data: unknown, event?: string): Promise<void> {
    await this.#send(
      `${event === undefined ? "" : `event: ${event}\n`}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`,
    );
  }

  /** A comment, for proxies that count silence. */
  async beat(): Promise<void> {
    await this.#send(": \n\n");
  }

  end(): void {
    this.#out.end();
  }

  async #send(text: string): Promise<void> {
    if (this.gone.aborted || this.#out.writableEnded) return;
    this.#begin();
    if (this.#out.write(text)) return;
    try {
      await once(this.#out, "drain", { signal: AbortSignal.any([this.gone, AbortSignal.timeout(this.#stalledMs)]) });
    } catch {
      this.#gone.abort();
      this.#out.destroy();
    }
  }

  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#reply.hijack();
    this.#out.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
      "x-request-id": this.#reply.request.id,
    });
  }
}
