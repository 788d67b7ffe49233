/** Who is told that this process has committed new events. */
export class AppendListeners {
  readonly #listeners = new Set<() => void>();
  #wakeUpDue = false;

  /** Returns the function that ends it. */
  add(listener: () => void): () => void {
    // Wrapped, so that the same function given twice is two listeners.
    const entry = (): void => listener();
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /** Called after a commit; commits of the same moment are one call. */
  wakeUp(): void {
    if (this.#wakeUpDue) return;
    this.#wakeUpDue = true;
    queueMicrotask(() => {
      this.#wakeUpDue = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
