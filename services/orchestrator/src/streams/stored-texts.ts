import { DomainError } from "@soma/kit/domain-error";
import type { SealedPiece } from "../contents/content-vault.ts";
import type { Deltas } from "./open-deltas.ts";
import type { StepKey } from "./delta-store.ts";
import { growthOf, missed, type RunningText } from "./text-growth.ts";
import type { Delta } from "@soma/contracts/session-stream";

/** A session's running texts as the store has them: of each step the newest attempt, as far as nothing is missing. */
export async function readStoredTexts(
  deltas: Pick<Deltas, "store" | "vault">,
  session: Omit<StepKey, "step">,
): Promise<Map<string, RunningText>> {
  const texts = new Map<string, RunningText>();
  for (const stored of await deltas.store.read(session)) {
    const piece = await openPiece(deltas, stored);
    if (piece === undefined) continue;
    const known = texts.get(piece.step);
    const growth = growthOf(known, piece);
    if (growth === missed || growth === undefined) continue;
    texts.set(piece.step, {
      attempt: growth.attempt,
      text: growth.offset === 0 ? growth.text : (known?.text ?? "") + growth.text,
    });
  }
  return texts;
}

/** Nothing for a text that was erased, or that cannot be read: nobody is told what is not there. */
export async function openPiece({ vault }: Pick<Deltas, "vault">, piece: SealedPiece): Promise<Delta | undefined> {
  try {
    const { step, attempt, offset, text } = await vault.openPiece(piece);
    return { step, attempt, offset, text };
  } catch (error) {
    if (error instanceof DomainError && hidden.has(error.code)) return undefined;
    throw error;
  }
}

const hidden: ReadonlySet<string> = new Set(["CONTENT_ERASED", "CONTENT_UNREADABLE"]);
