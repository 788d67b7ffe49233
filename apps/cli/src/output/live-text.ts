import type { Delta } from "@soma/client/shapes";

/** Texts that are shown while they are made, step after step: only pieces that follow on what is there already. */
export class LiveText {
  readonly #show: ((piece: string) => void) | undefined;
  #step = "";
  #attempt = 0;
  #text = "";

  /** @param show shows a piece at once; without it texts are only gathered */
  constructor(show: ((piece: string) => void) | undefined) {
    this.#show = show;
  }

  add({ step, attempt, offset, text }: Delta): void {
    if (step !== this.#step || attempt > this.#attempt) {
      // What was begun for nothing, and what was said before, stays where it stands.
      if (this.#text !== "") this.#show?.("\n");
      this.#step = step;
      this.#attempt = attempt;
      this.#text = "";
    }
    // A piece that was lost with a connection leaves a hole: the rest comes with the result.
    if (attempt < this.#attempt || offset !== this.#text.length) return;
    this.#text += text;
    this.#show?.(text);
  }

  /**
   * What is still to be shown of a whole text; all of it, on a new line, when what is shown is not its beginning. Without
   * a whole text: what was gathered and not shown.
   */
  missing(whole: string | undefined): string {
    if (this.#show === undefined) return whole ?? this.#text;
    if (whole === undefined || whole === this.#text) return "";
    return whole.startsWith(this.#text) ? whole.slice(this.#text.length) : `\n${whole}`;
  }
}
