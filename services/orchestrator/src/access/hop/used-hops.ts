/**
 * The ids of hop tokens that were used, each remembered for one span at least and two at most: two sets that take turns,
 * so that nothing is kept for each id but the id, and nothing is searched.
 */
export class UsedHops {
  readonly #spanMs: number;
  readonly #max: number;
  readonly #clock: () => number;
  #current = new Set<string>();
  #before = new Set<string>();
  #turnedAt: number;

  constructor(spanMs: number, max: number, clock: () => number = () => performance.now()) {
    this.#spanMs = spanMs;
    this.#max = max;
    this.#clock = clock;
    this.#turnedAt = clock();
  }

  /** True the first time. @throws RangeError when more ids would have to be remembered than the bound says. */
  use(jti: string): boolean {
    const elapsed = this.#clock() - this.#turnedAt;
    if (elapsed >= this.#spanMs) {
      this.#before = elapsed >= 2 * this.#spanMs ? new Set() : this.#current;
      this.#current = new Set();
      this.#turnedAt = this.#clock();
    }
    if (this.#current.has(jti) || this.#before.has(jti)) return false;
    if (this.#current.size + this.#before.size >= this.#max) throw new RangeError("too many hop tokens at once");
    this.#current.add(jti);
    return true;
  }
}
