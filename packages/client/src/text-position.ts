import type { AuditEvent, Delta } from "./shapes.ts";

/** What a piece of a text is to a reader who has come so far. */
export type Piece = { readonly delta: Delta; readonly anew: boolean } | "known" | "hole";

/**
 * How far the text of the step that runs has come, so that a new connection goes on there. Pieces are told once and in
 * order: what came already is cut off, and a hole is for the server to fill.
 */
export class TextPosition {
  #at: { readonly step: string; readonly attempt: number; readonly offset: number } | undefined;

  /** As the server takes it; undefined where no text is under way. */
  get deltaAfter(): string | undefined {
    return this.#at && `${this.#at.step}:${String(this.#at.attempt)}:${String(this.#at.offset)}`;
  }

  take(delta: Delta): Piece {
    const { step, attempt, offset, text } = delta;
    const at = this.#at?.step === step ? this.#at : undefined;
    if (at !== undefined && attempt < at.attempt) return "known";
    const have = at?.attempt === attempt ? at.offset : 0;
    if (offset > have) return "hole";
    const rest = text.slice(have - offset);
    const anew = at !== undefined && attempt > at.attempt;
    if (rest === "" && !anew) return "known";
    this.#at = { step, attempt, offset: have + rest.length };
    return { delta: { step, attempt, offset: have, text: rest }, anew };
  }

  /** A step that has its outcome has no text under way. */
  pass({ type, data }: AuditEvent): void {
    const ends = type === "effect.completed" || type === "effect.failed";
    if (ends && data["step"] === this.#at?.step) this.#at = undefined;
  }
}
