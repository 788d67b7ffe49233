/**
 * Numbers of the events of a response's stream. Each is made of the ledger's `sequence` that the stream had come to and of
 * a place after it, so that a number is the same in every stream of a session, and a reader can resume after any of them:
 * in the middle of a text as well.
 *
 * | place               | event                                                                   |
 * | ------------------- | ----------------------------------------------------------------------- |
 * | 0, 1, 2             | what the ledger's event itself is told as; a text's end is three events |
 * | 3, 4                | item added, part added                                                  |
 * | 4 and n, n up to 4M | a delta up to the n-th UTF-16 unit of the text                          |
 */
const places = 10_000_000;

export const place = { textDone: 0, partDone: 1, itemDone: 2, itemAdded: 3, partAdded: 4 } as const;

/** Where a stream begins: after this place. */
export interface Cursor {
  readonly sequence: number;
  readonly place: number;
  /** True when all that the ledger's event is told as is behind the reader, and nothing of a text that came after it. */
  readonly isWhole: boolean;
}

export function cursorNumber(sequence: number, at: number): number {
  return sequence * places + at;
}

/** Reads `starting_after`: a number of the stream, or a bare `sequence` of the ledger, which stands for all of its event. */
export function readCursor(startingAfter: number): Cursor {
  if (startingAfter < places) return { sequence: startingAfter, place: place.itemDone, isWhole: true };
  return { sequence: Math.floor(startingAfter / places), place: startingAfter % places, isWhole: false };
}
