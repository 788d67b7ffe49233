import type { Logger } from "@soma/kit/logger";
import type { TextPiece } from "../contents/content-vault.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import type { StepKey } from "./delta-store.ts";
import { readStoredTexts } from "./stored-texts.ts";
import type { Deltas } from "./open-deltas.ts";
import { StepText } from "./step-text.ts";
import { maxRunningUnits } from "./text-growth.ts";

/** How long a piece may wait for others to be stored with. */
const flushMs = 75;
/** What may wait while the store cannot be written, in UTF-16 units; beyond it, it is given up. */
const maxWaitingUnits = 4 * maxRunningUnits;
const pruneEveryMs = 600_000;
/** Longer than any step runs. */
const keptMs = 86_400_000;

/**
 * Carries the texts that this process' activities make to the readers: to those of this process at once, to the others'
 * by the store, in small batches. A store that cannot be written costs readers the pieces and nobody the text.
 */
export class DeltaWriter {
  readonly #deltas: Deltas;
  readonly #log: Logger;
  readonly #waiting = new Map<StepText, TextPiece>();
  #waitingUnits = 0;
  #removals: StepKey[] = [];
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #closed = false;
  readonly #pruning: NodeJS.Timeout;

  constructor(deltas: Deltas, log: Logger) {
    this.#deltas = deltas;
    this.#log = log;
    this.#pruning = setInterval(() => void this.#prune(), pruneEveryMs).unref();
  }

  /** An attempt at a step begins; `attempt` is above that of every earlier one. */
  begin(row: SessionRow, step: string, attempt: number): StepText {
    const { tenant, user, session_id: sessionId } = row;
    const release = this.#deltas.hub.hold(sessionId);
    const text: StepText = new StepText(attempt, {
      earlier: () => readStoredTexts(this.#deltas, { tenant, sessionId }).then((texts) => texts.get(step)),
      tell: (delta) => {
        this.#deltas.hub.publish(sessionId, delta);
        this.#store(text, { tenant, user, sessionId, ...delta });
      },
      release,
      remove: ({ stored }) => {
        this.#drop(text);
        this.#deltas.hub.end(sessionId, step);
        if (stored) this.#removals.push({ tenant, sessionId, step });
        if (stored) this.#schedule();
      },
      step,
    });
    return text;
  }

  /** Writes what waits; nothing is taken any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#pruning);
    clearTimeout(this.#timer);
    await this.#flushing;
    await this.#flush();
  }

  #store(text: StepText, piece: TextPiece): void {
    if (this.#closed || piece.offset + piece.text.length > maxRunningUnits) return;
    const before = this.#waiting.get(text);
    // What waits of one telling becomes one piece; a text begun anew leaves what was told of the former one.
    const isMore = before?.attempt === piece.attempt && before.offset + before.text.length === piece.offset;
    if (before !== undefined && !isMore) this.#drop(text);
    this.#waiting.set(text, isMore ? { ...before, text: before.text + piece.text } : piece);
    this.#waitingUnits += piece.text.length;
    if (this.#waitingUnits > maxWaitingUnits) this.#giveUp();
    this.#schedule();
  }

  #drop(text: StepText): void {
    this.#waitingUnits -= this.#waiting.get(text)?.text.length ?? 0;
    this.#waiting.delete(text);
  }

  #giveUp(): void {
    this.#waiting.clear();
    this.#waitingUnits = 0;
  }

  #schedule(): void {
    if (this.#closed || this.#flushing !== undefined) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flushing = this.#flush().finally(() => {
        this.#flushing = undefined;
        if (this.#waiting.size > 0 || this.#removals.length > 0) this.#schedule();
      });
    }, flushMs);
  }

  async #flush(): Promise<void> {
    const { store, vault, writer } = this.#deltas;
    const pieces = [...this.#waiting];
    const removals = this.#removals;
    this.#giveUp();
    this.#removals = [];
    for (const [text] of pieces) text.stored();
    try {
      if (pieces.length > 0)
        await store.append(writer, await Promise.all(pieces.map(async ([, piece]) => vault.sealPiece(piece))));
      if (removals.length > 0) await store.remove(removals);
    } catch (error) {
      // Readers elsewhere see the hole, and the text with its end; what is not removed now goes by its age.
      this.#log.warn({ err: error, count: pieces.length }, "pieces of running texts could not be stored");
    }
  }

  async #prune(): Promise<void> {
    try {
      await this.#deltas.store.prune(new Date(Date.now() - keptMs));
    } catch (error) {
      this.#log.warn({ err: error }, "old pieces of running texts could not be removed");
    }
  }
}
