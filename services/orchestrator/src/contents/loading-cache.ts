interface Entry<Value> {
  readonly value: Promise<Value>;
  readonly expiresAt: number;
}

/**
 * Values that were loaded a short while ago, the latest used ones. Who asks while a value is being loaded waits for the
 * same load; a load that fails or finds nothing is not kept.
 */
export class LoadingCache<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #limits: { readonly entries: number; readonly ageMs: number };
  readonly #now: () => number;

  constructor(limits: { readonly entries: number; readonly ageMs: number }, now: () => number = Date.now) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Forgets a value, and one that is being loaded. */
  forget(name: string): void {
    this.#entries.delete(name);
  }

  async get(name: string, load: () => Promise<Value>): Promise<Value> {
    const known = this.#entries.get(name);
    this.#entries.delete(name);
    const entry =
      known !== undefined && known.expiresAt > this.#now()
        ? known
        : { value: load(), expiresAt: this.#now() + this.#limits.ageMs };
    this.#entries.set(name, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#limits.entries) break;
      this.#entries.delete(oldest);
    }
    let found = false;
    try {
      const value = await entry.value;
      found = value !== undefined;
      return value;
    } finally {
      if (!found && this.#entries.get(name) === entry) this.#entries.delete(name);
    }
  }
}
