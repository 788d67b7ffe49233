/** The right to deliver, as somebody got it. */
export interface RelayLease {
  /** Fencing token: higher for each holder than for the one before. */
  readonly token: number;
  /** The position up to which every event has been delivered. */
  readonly cursor: number;
}

/** Who delivers: a name that no other process has. */
export interface RelayHolder {
  readonly holder: string;
  readonly token: number;
}

/** An event that the topic cannot take. It stays in the ledger at its position. */
export interface DeadLetter {
  readonly position: number;
  readonly eventId: string;
  /** Size of the record's value. */
  readonly bytes: number;
}

/** What has not been delivered yet. */
export interface RelayBacklog {
  readonly cursor: number;
  /** The newest position of the ledger. */
  readonly newest: number;
  /** RFC 3339; when the oldest event that waits was recorded. */
  readonly oldestTime?: string;
}

/**
 * How far the ledger has been delivered, and who may deliver it. It lies in the ledger's own database, so that lease,
 * cursor and events are of one clock and one commit. Rejects with `AUDIT_UNAVAILABLE` as the ledger does.
 */
export interface RelayStore {
  /**
   * Takes the lease for so long from now, by the database's clock, or renews it; undefined while another holder has it.
   * A holder that comes back to a lease which ran out, and which nobody took since, keeps its token.
   */
  acquire(input: { readonly holder: string; readonly leaseMs: number }): Promise<RelayLease | undefined>;

  /**
   * Moves the cursor and records dead letters in one commit.
   *
   * @returns false, and nothing is written, when the lease has gone to another holder
   */
  advance(input: RelayHolder & { readonly to: number; readonly deadLetters: readonly DeadLetter[] }): Promise<boolean>;

  /** Gives the lease back, so that another need not wait for its end; nothing happens when it is another's by now. */
  release(input: RelayHolder): Promise<void>;

  backlog(): Promise<RelayBacklog>;
}
