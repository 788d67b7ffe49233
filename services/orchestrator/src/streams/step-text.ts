import type { Delta } from "@soma/contracts/session-stream";
import type { RunningText } from "./text-growth.ts";

interface StepTextParts {
  readonly step: string;
  /** What earlier attempts have stored of the text. */
  readonly earlier: () => Promise<RunningText | undefined>;
  readonly tell: (delta: Delta) => void;
  /** The attempt is over. */
  readonly release: () => void;
  /** The step has its outcome; `stored` says whether anything of its text is in the store. */
  readonly remove: (state: { readonly stored: boolean }) => void;
}

/**
 * The text that one attempt at a step makes, told in pieces that are whole characters. An attempt that is given an earlier
 * one's text again, by the effect key, goes on telling where that one stopped; any other begins anew under its own number.
 */
export class StepText {
  readonly #parts: StepTextParts;
  readonly #own: number;
  #attempt: number;
  #text = "";
  /** How far it was told under the number it is told under. */
  #told = 0;
  #earlier: RunningText | undefined;
  /** The first half of a character whose second has not come. */
  #held = "";
  #isStored = false;

  constructor(attempt: number, parts: StepTextParts) {
    this.#own = attempt;
    this.#attempt = attempt;
    this.#parts = parts;
  }

  /** The number that the text was told under. */
  get attempt(): number {
    return this.#attempt;
  }

  /**
   * The model is about to speak; `replayed`: it says again what it said to an earlier attempt. Without an earlier attempt
   * there is nothing to look for.
   */
  async begin({ replayed }: { readonly replayed: boolean }): Promise<void> {
    if (this.#own === 1) return;
    // Whatever is stored of this step goes with its outcome.
    this.#isStored = true;
    if (!replayed) return;
    // Undurable and not needed: without it the text is told anew.
    this.#earlier = await this.#parts.earlier().catch(() => undefined);
    if (this.#earlier !== undefined) this.#attempt = this.#earlier.attempt;
  }

  write(piece: string): void {
    const text = this.#held + piece;
    this.#held = /[\uD800-\uDBFF]$/.test(text) ? text.slice(-1) : "";
    this.#add((this.#held === "" ? text : text.slice(0, -1)).toWellFormed());
  }

  /** The text is whole. */
  finish(): void {
    this.#add(this.#held.toWellFormed());
    this.#held = "";
    // Shorter than what was told of it: then it is another.
    if (this.#earlier !== undefined && this.#text.length < this.#earlier.text.length) this.#beginAnew();
  }

  /** Something of it is on its way to the store. */
  stored(): void {
    this.#isStored = true;
  }

  /** The attempt is over; `done`: the step has its outcome, and the text is in the ledger. */
  close({ done }: { readonly done: boolean }): void {
    if (done) this.#parts.remove({ stored: this.#isStored });
    this.#parts.release();
  }

  #add(piece: string): void {
    this.#text += piece;
    const known = this.#earlier?.text;
    if (known !== undefined && !known.startsWith(this.#text) && !this.#text.startsWith(known)) return this.#beginAnew();
    this.#tellFrom(Math.max(this.#told, known?.length ?? 0));
  }

  #beginAnew(): void {
    this.#earlier = undefined;
    this.#attempt = this.#own;
    this.#told = 0;
    this.#tellFrom(0);
  }

  #tellFrom(offset: number): void {
    const text = this.#text.slice(offset);
    if (text === "") return;
    this.#told = offset + text.length;
    this.#parts.tell({ step: this.#parts.step, attempt: this.#attempt, offset, text });
  }
}
