import { deltaAfterPattern, type Delta } from "@soma/contracts/session-stream";
import type { RunningText } from "./text-growth.ts";

/** How far a reader has come in the text of a step. */
export interface TextPlace {
  readonly step: string;
  readonly attempt: number;
  readonly offset: number;
}

/** The text that a step ended with, and the attempt that its deltas were told under. */
export interface FinalText {
  readonly step: string;
  readonly attempt: number;
  readonly text: string;
}

/** Reads `delta_after`, which has the form that the contract says. */
export function readTextPlace(deltaAfter: string): TextPlace {
  if (!new RegExp(deltaAfterPattern).test(deltaAfter)) throw new TypeError("not a place in a text");
  const [step = "", attempt, offset] = deltaAfter.split(":");
  return { step, attempt: Number(attempt), offset: Number(offset) };
}

/** Below every attempt. */
const nothingTold = 0;
/** Longer pieces would be a burden to a reader whose unsent bytes are bounded. */
const maxPieceUnits = 65_536;

/**
 * Where one reader is in the texts of a session, and what he is to be told next: the pieces that he gets of a step's last
 * attempt, joined, are the text that it ended with.
 */
export class TextPlaces {
  /** Made with the first place: most readers of an idle session never have one. */
  #places: Map<string, Omit<TextPlace, "step">> | undefined;

  constructor(from?: TextPlace) {
    if (from !== undefined) this.#set(from.step, from.attempt, from.offset);
  }

  /** True for a text that may be told: what came before it in the ledger was. */
  isAdmitted(step: string): boolean {
    return this.#places?.has(step) === true;
  }

  admit(step: string): void {
    if (!this.isAdmitted(step)) this.#set(step, nothingTold, 0);
  }

  /** True when the growth of a running text follows what the reader has; it is told as it is. */
  takes({ step, attempt, offset, text }: Delta): boolean {
    const place = this.#places?.get(step);
    if (place === undefined) return false;
    const fits = place.attempt === attempt ? place.offset === offset : offset === 0 && attempt > place.attempt;
    if (fits) this.#set(step, attempt, offset + text.length);
    return fits;
  }

  /** True when the reader lacks something of a running text that may be told. */
  isBehind(step: string, { attempt, text }: RunningText): boolean {
    const place = this.#places?.get(step);
    if (place?.attempt === attempt) return place.offset < text.length;
    return place !== undefined && attempt > place.attempt && text !== "";
  }

  /** The next piece that the reader lacks of a running text. */
  next(step: string, running: RunningText): Delta | undefined {
    if (!this.isBehind(step, running)) return undefined;
    const { attempt, text } = running;
    const place = this.#places?.get(step);
    const offset = place?.attempt === attempt ? place.offset : 0;
    const end = pieceEnd(text, offset);
    this.#set(step, attempt, end);
    return { step, attempt, offset, text: text.slice(offset, end) };
  }

  /**
   * What the reader lacks of a text that is whole, in pieces; the step has no place after that. Where what he was told
   * cannot be how the text begins it is begun anew, under an attempt above his.
   *
   * @param told what this process knows to have been told of the text, if anything
   */
  rest(final: FinalText, told?: RunningText): Delta[] {
    const { step, attempt, text } = final;
    const place = this.#toldOf(step);
    this.end(step);
    if (place === undefined) return piecesOf({ step, attempt, offset: 0, text });
    if (isBeginningOf(place, final, told))
      return piecesOf({ step, attempt: place.attempt, offset: place.offset, text: text.slice(place.offset) });
    const anew = { step, attempt: Math.max(place.attempt + 1, attempt), offset: 0, text };
    return text === "" ? [anew] : piecesOf(anew);
  }

  /** True when there is a rest of a text that is whole. */
  lacksRestOf(final: FinalText, told?: RunningText): boolean {
    const place = this.#toldOf(final.step);
    if (place === undefined) return final.text !== "";
    return place.offset !== final.text.length || !isBeginningOf(place, final, told);
  }

  end(step: string): void {
    this.#places?.delete(step);
  }

  #toldOf(step: string): Omit<TextPlace, "step"> | undefined {
    const place = this.#places?.get(step);
    return place?.attempt === nothingTold ? undefined : place;
  }

  #set(step: string, attempt: number, offset: number): void {
    this.#places ??= new Map();
    this.#places.set(step, { attempt, offset });
  }
}

/** Where it is not known what a reader was told, a text of the same attempt is the same text. */
function isBeginningOf(
  { attempt, offset }: Omit<TextPlace, "step">,
  final: FinalText,
  told: RunningText | undefined,
): boolean {
  if (offset > final.text.length) return false;
  return told?.attempt === attempt ? final.text.startsWith(told.text) : attempt === final.attempt;
}

function piecesOf({ text, offset, ...rest }: Delta): Delta[] {
  const pieces: Delta[] = [];
  for (let begin = 0; begin < text.length;) {
    const end = pieceEnd(text, begin);
    pieces.push({ ...rest, offset: offset + begin, text: text.slice(begin, end) });
    begin = end;
  }
  return pieces;
}

/** Never between the two halves of a character, which are no text alone. */
function pieceEnd(text: string, begin: number): number {
  const end = Math.min(text.length, begin + maxPieceUnits);
  return end < text.length && /[\uD800-\uDBFF]/.test(text.charAt(end - 1)) ? end - 1 : end;
}
