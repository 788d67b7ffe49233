import type { Delta } from "@soma/contracts/session-stream";

/**
 * Tells a text piece by piece so that the pieces joined are the text, whatever was missed of it while it was made: a delta
 * that leaves a gap waits for the end, one that repeats is cut, and one that contradicts ends the telling.
 */
export class TextTeller {
  /** What the reader has from before, in UTF-16 units. */
  readonly #from: number;
  #told = "";
  /** The first half of a surrogate pair whose second has not come: alone it is no text. */
  #held = "";
  #contradicted = false;

  constructor(from: number) {
    this.#from = from;
  }

  /** Up to where the text was told. */
  get offset(): number {
    return this.#from + this.#told.length - this.#held.length;
  }

  /** What can be told now that this delta came; empty when nothing can. */
  take({ offset, text }: Omit<Delta, "attempt">): string {
    if (this.#contradicted) return "";
    const start = offset - this.#from;
    const end = start + text.length;
    if (start > this.#told.length || end <= 0) return "";
    const known = this.#told.slice(Math.max(0, start), end);
    if (known !== text.slice(Math.max(0, -start)).slice(0, known.length)) {
      this.#contradicted = true;
      return "";
    }
    return this.#tell(text.slice(this.#told.length - start));
  }

  /** The rest of the text once it is known; `undefined` when what was told is not how it begins. */
  rest(whole: string): string | undefined {
    if (!whole.startsWith(this.#told, this.#from)) return undefined;
    const rest = this.#held + whole.slice(this.#from + this.#told.length);
    this.#told = whole.slice(this.#from);
    this.#held = "";
    return rest;
  }

  #tell(fresh: string): string {
    if (fresh === "") return "";
    this.#told += fresh;
    const piece = this.#held + fresh;
    this.#held = /[\uD800-\uDBFF]$/.test(piece) ? piece.slice(-1) : "";
    return this.#held === "" ? piece : piece.slice(0, -1);
  }
}
