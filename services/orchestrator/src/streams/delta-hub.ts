import type { Delta } from "@soma/contracts/session-stream";
import { growthOf, missed, type RunningText } from "./text-growth.ts";

type Listener = (growth: Delta) => void;

interface SessionTexts {
  readonly running: Map<string, RunningText>;
  /** Steps with an outcome: a piece that comes late is of the past. */
  readonly ended: Set<string>;
  readonly listeners: Set<Listener>;
  /** Attempts of this process that are making a text. */
  makers: number;
}

/**
 * The texts in the making that this process knows: those that its own activities make, and those that its readers follow.
 * Each grows by pieces that fit at its end; listeners hear of growth alone, so that each hears a text once. The growth is
 * the same object for all who listen to the session.
 */
export class DeltaHub {
  readonly #sessions = new Map<string, SessionTexts>();

  /** Takes a piece, of this process or another. False when what is before it was missed. */
  publish(sessionId: string, piece: Delta): boolean {
    const session = this.#sessions.get(sessionId);
    if (session === undefined || session.ended.has(piece.step)) return true;
    const known = session.running.get(piece.step);
    const growth = growthOf(known, piece);
    if (growth === missed) return false;
    if (growth === undefined) return true;
    const text = growth.offset === 0 ? growth.text : (known?.text ?? "") + growth.text;
    session.running.set(piece.step, { attempt: piece.attempt, text });
    for (const listener of session.listeners) listener(growth);
    return true;
  }

  /** Keeps a session's texts while an attempt makes one. Returns the function that ends it. */
  hold(sessionId: string): () => void {
    const session = this.#session(sessionId);
    session.makers += 1;
    let held = true;
    return () => {
      if (held) session.makers -= 1;
      held = false;
      this.#forget(sessionId, session);
    };
  }

  /** Returns the function that ends the subscription. */
  subscribe(sessionId: string, listener: Listener): () => void {
    const session = this.#session(sessionId);
    session.listeners.add(listener);
    return () => {
      session.listeners.delete(listener);
      this.#forget(sessionId, session);
    };
  }

  isFollowed(sessionId: string): boolean {
    return (this.#sessions.get(sessionId)?.listeners.size ?? 0) > 0;
  }

  /** The texts that are being made, by step. */
  running(sessionId: string): ReadonlyMap<string, RunningText> {
    return this.#sessions.get(sessionId)?.running ?? none;
  }

  /** The step has its outcome: its text is the ledger's from now on. */
  end(sessionId: string, step: string): void {
    const session = this.#sessions.get(sessionId);
    session?.running.delete(step);
    session?.ended.add(step);
  }

  #session(sessionId: string): SessionTexts {
    const known = this.#sessions.get(sessionId);
    if (known !== undefined) return known;
    const made = { running: new Map(), ended: new Set<string>(), listeners: new Set<Listener>(), makers: 0 };
    this.#sessions.set(sessionId, made);
    return made;
  }

  #forget(sessionId: string, session: SessionTexts): void {
    if (session.listeners.size > 0 || session.makers > 0) return;
    if (this.#sessions.get(sessionId) === session) this.#sessions.delete(sessionId);
  }
}

const none: ReadonlyMap<string, RunningText> = new Map();
