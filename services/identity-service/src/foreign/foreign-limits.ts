/** Bounds of what foreign issuers can cost and for how long their word counts; milliseconds unless they say otherwise. */
export const foreignLimits = {
  /** For the whole exchange with an issuer, name look-up and connection included. */
  fetchDeadlineMs: 2_000,
  keySetBytes: 65_536,
  keysInSet: 64,
  /** A set is asked for again after this; a key that the issuer withdrew is accepted no longer. */
  freshMs: 300_000,
  /** An unknown key id has the set asked for again, but not more often than this, however many ids are made up. */
  refetchMs: 30_000,
  /** An issuer that gave no usable answer is left alone for so long. */
  retryMs: 5_000,
  /** For so long its last keys count while it gives none. */
  staleMs: 3_600_000,
  /** Key sets that are kept; the one that was asked for longest ago goes first. */
  keySets: 256,
} as const;
