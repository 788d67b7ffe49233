import type { Delta } from "@soma/contracts/session-stream";

/** What is kept of one running text, in UTF-16 units; the rest of a longer one comes with its end. */
export const maxRunningUnits = 1_048_576;

/** A text as far as it is known: of the newest attempt. */
export interface RunningText {
  readonly attempt: number;
  readonly text: string;
}

/** Nothing fits after the piece that came: what is before it was missed. */
export const missed = Symbol("missed");

/**
 * What a piece adds to a text: the part of it that is new, placed where the text ends; nothing for what is known or of
 * an older attempt. A piece of a newer attempt begins a text.
 */
export function growthOf(known: RunningText | undefined, piece: Delta): Delta | typeof missed | undefined {
  if (known !== undefined && piece.attempt < known.attempt) return undefined;
  const length = known?.attempt === piece.attempt ? known.text.length : 0;
  if (piece.offset > length) return missed;
  const text = piece.text.slice(length - piece.offset);
  if (text === "" || length + text.length > maxRunningUnits) return undefined;
  return { ...piece, offset: length, text };
}
