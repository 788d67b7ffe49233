/** Places that are taken and given back, bounded for each key and for all together. */
export class Slots {
  readonly #max: number;
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Places taken by all keys. */
  get all(): number {
    return this.#all;
  }

  /** @returns what gives the place back, once however often it is called; undefined when there is none. */
  enter(key: string, maxOfKey: number): (() => void) | undefined {
    const taken = this.#taken.get(key) ?? 0;
    if (taken >= maxOfKey || this.#all >= this.#max) return undefined;
    this.#taken.set(key, taken + 1);
    this.#all += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#all -= 1;
      const now = (this.#taken.get(key) ?? 1) - 1;
      if (now === 0) this.#taken.delete(key);
      else this.#taken.set(key, now);
    };
  }
}
