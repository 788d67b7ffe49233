/**
 * Numbers of the events of a response's stream. Each is made of the ledger's `sequence` that the stream had come to and of
 * a place after it, so that a number is the same in every stream of a session, and a reader can resume after any of them:
 * in the middle of a text as well.
 *
 * | place               | event                                                           |
 * | ------------------- | --------------------------------------------------------------- |
 * | 0                   | what the ledger's event itself is told as                       |
 * | 1, 2                | item added, part added; after the text's end: part, item done   |
 * | 2 and n, n up to 4M | a delta up to the n-th UTF-16 unit of the text                  |
 */
const places = 10_000_000;

/** Where a stream begins: after this place of this event of the ledger. */
export interface Cursor {
  readonly sequence: number;
  /** Undefined: after all of the event. */
  readonly place: number | undefined;
}

export function cursorNumber(sequence: number, place: number): number {
  return sequence * places + place;
}

/** Reads `starting_after`: a number of the stream, or a bare `sequence` of the ledger, which stands for all of its event. */
export function readCursor(startingAfter: number): Cursor {
  if (startingAfter < places) return { sequence: startingAfter, place: undefined };
  return { sequence: Math.floor(startingAfter / places), place: startingAfter % places };
}
