/** Bounds of API keys, in seconds unless they say otherwise. */
export const apiKeyLimits = {
  /** Life of a key that was asked for without one: 90 days. */
  defaultSeconds: 90 * 86_400,
  /** For so long a repeated request means the same key. */
  repeatSeconds: 86_400,
  /** For so long it gets a secret, as long as the key was not used. */
  secretSeconds: 600,
  /** `last_used_at` is this coarse: a write for each use would cost more than it says. */
  useSeconds: 60,
  /** For so long a key that has ended is still listed. */
  listedSeconds: 30 * 86_400,
  /** Keys that a tenant can have at a time, and keys in a list. */
  liveKeys: 500,
  listedKeys: 1_000,
} as const;
