import type { SealedPiece } from "../contents/content-vault.ts";

/** A piece at its place in the order of commits over all sessions. */
export interface StoredPiece extends SealedPiece {
  readonly position: number;
}

export interface StepKey {
  readonly tenant: string;
  readonly sessionId: string;
  readonly step: string;
}

/**
 * The pieces of running steps' texts, for processes that do not make them: encrypted, undurable, and gone when the step
 * has its outcome. A crash of the machine or of the database may lose them; nobody waits for a disk.
 *
 * Any method may reject; whoever calls it can do without.
 */
export interface DeltaStore {
  /** Adds pieces, all in one go for each tenant. */
  append(writer: string, pieces: readonly SealedPiece[]): Promise<void>;
  /** Pieces of other writers after a position, in order. A piece never turns up behind a position already read. */
  tail(query: {
    readonly after: number;
    readonly notOf: string;
    readonly limit: number;
  }): Promise<readonly StoredPiece[]>;
  /** The newest position; 0 for an empty store. */
  lastPosition(): Promise<number>;
  /** A session's pieces, in the order in which they were added. */
  read(session: Omit<StepKey, "step">): Promise<readonly StoredPiece[]>;
  remove(steps: readonly StepKey[]): Promise<void>;
  /** Removes what was added before a time: what a process that died has left. */
  prune(before: Date): Promise<void>;
  close(): Promise<void>;
}
