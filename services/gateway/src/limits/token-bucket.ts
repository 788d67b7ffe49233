interface Bucket {
  tokens: number;
  filledAt: number;
}

interface BucketOptions {
  /** The most keys that are remembered; the one that was used least lately is forgotten. */
  readonly maxKeys: number;
  /** Monotonic, in milliseconds. */
  readonly clock?: () => number;
}

/**
 * A bucket for each key, filled all the time by so many a minute and holding ten seconds' worth, at least 20 (or all of
 * a smaller minute). Bounded: a key that is forgotten begins with a full bucket.
 */
export class TokenBuckets {
  readonly #options: BucketOptions;
  readonly #clock: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: BucketOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one out. @returns 0, or after how many milliseconds there is one again. */
  take(key: string, perMinute: number): number {
    const bucket = this.#fill(key, perMinute);
    if (bucket.tokens < 1) return ((1 - bucket.tokens) * 60_000) / perMinute;
    bucket.tokens -= 1;
    return 0;
  }

  /** Puts one back that need not have been taken. */
  giveBack(key: string, perMinute: number): void {
    const bucket = this.#buckets.get(key);
    if (bucket !== undefined) bucket.tokens = Math.min(capacity(perMinute), bucket.tokens + 1);
  }

  #fill(key: string, perMinute: number): Bucket {
    const now = this.#clock();
    const bucket = this.#buckets.get(key) ?? { tokens: capacity(perMinute), filledAt: now };
    const gained = ((now - bucket.filledAt) / 60_000) * perMinute;
    bucket.tokens = Math.min(capacity(perMinute), bucket.tokens + gained);
    bucket.filledAt = now;
    // Maps keep the order of insertion: the first is the one that was used least lately.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#options.maxKeys) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket;
  }
}

function capacity(perMinute: number): number {
  return Math.min(perMinute, Math.max(20, Math.floor(perMinute / 6)));
}
