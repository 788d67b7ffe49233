interface RetryBudgetOptions {
  /** Retries that are always allowed. */
  readonly perSecond: number;
  /** What each answer allows more: above 1, retries may grow while the upstream bears them. */
  readonly perSuccess: number;
  /** The most that is saved up. */
  readonly cap: number;
  /** Monotonic, in milliseconds. */
  readonly clock?: () => number;
}

/**
 * How many retries an upstream is given. A thousand callers that wait for the same upstream would otherwise come back
 * together at the moment when it can bear them least: until it has answered it gets a trickle, and with each answer
 * more.
 */
export class RetryBudget {
  readonly #options: RetryBudgetOptions;
  readonly #clock: () => number;
  #tokens: number;
  #filledAt: number;

  constructor(options: RetryBudgetOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.#tokens = options.cap;
    this.#filledAt = this.#clock();
  }

  /** Takes one retry out; false when there is none left. */
  take(): boolean {
    const now = this.#clock();
    this.#add(((now - this.#filledAt) / 1_000) * this.#options.perSecond);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** To be called for each answer. */
  answered(): void {
    this.#add(this.#options.perSuccess);
  }

  #add(tokens: number): void {
    this.#tokens = Math.min(this.#options.cap, this.#tokens + tokens);
  }
}
