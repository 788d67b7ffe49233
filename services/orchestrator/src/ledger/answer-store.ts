import type { Digest } from "@soma/contracts/ids";

/** Answers to requests with an idempotency key, for 24 h each. Rejects with `AUDIT_UNAVAILABLE` as the ledger does. */
export interface AnswerStore {
  /**
   * Takes a key for a request, unless it is taken.
   *
   * @returns the answer that is kept; undefined while there is none, whoever took the key
   * @throws DomainError `IDEMPOTENCY_KEY_REUSED` when the key stands for another request
   */
  begin(input: {
    readonly tenant: string;
    readonly key: string;
    readonly requestDigest: Digest;
  }): Promise<string | undefined>;

  /** Keeps the answer of a request that has begun; one that is kept already stays. */
  keep(input: { readonly tenant: string; readonly key: string; readonly answer: string }): Promise<void>;
}
