import { EventEmitter } from "node:events";

/** A piece of a text while it is being made: undurable, placed by its offset in UTF-16 units in the step's text. */
export interface Delta {
  readonly step: string;
  readonly offset: number;
  readonly text: string;
}

/** Carries deltas from the activities of this process to the streams of this process. Nobody listening: they are gone. */
export class DeltaHub {
  readonly #emitter = new EventEmitter().setMaxListeners(0);

  publish(sessionId: string, delta: Delta): void {
    this.#emitter.emit(sessionId, delta);
  }

  /** Returns the function that ends the subscription. */
  subscribe(sessionId: string, listener: (delta: Delta) => void): () => void {
    this.#emitter.on(sessionId, listener);
    return () => void this.#emitter.off(sessionId, listener);
  }
}
