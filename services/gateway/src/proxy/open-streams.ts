import type { ServerResponse } from "node:http";

/** The streams under way: they end with the service, not it with them. */
export class OpenStreams {
  readonly #open = new Set<ServerResponse>();
  #closing = false;

  /** True once the service ends: an answer that is still under way then is the last of its connection. */
  get closing(): boolean {
    return this.#closing;
  }

  add(stream: ServerResponse): void {
    this.#open.add(stream);
    stream.once("close", () => this.#open.delete(stream));
  }

  /** Cut, not ended: what breaks off must not look whole. Readers come back and resume. */
  cut(): void {
    this.#closing = true;
    for (const stream of this.#open) stream.destroy();
  }
}
