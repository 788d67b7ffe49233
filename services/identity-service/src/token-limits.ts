/**
 * Lifetimes in seconds. A step's token lives as long as a step may at most; a user's token at most an hour, so that
 * what was signed by a retired key or revoked without being seen is over within a known time.
 */
export const tokenLimits = {
  defaultTtlSeconds: 300,
  stepTtlSeconds: 300,
  userTtlSeconds: 3_600,
  /**
   * For so long a session may go on and ask for tokens that derive from the one that it was started with: a day of
   * waiting for policy, one for a token, and the rest for steps that are decided anew.
   */
  lineageSeconds: 7 * 86_400,
  /** How far the clocks of two of our machines may differ. */
  leewaySeconds: 60,
  tokenBytes: 8_192,
} as const;
