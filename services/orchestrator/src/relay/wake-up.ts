/** A sleep that a call ends; a call while nobody sleeps ends the next sleep at once, so that none is missed. */
export class WakeUp {
  #due = false;
  #wake: (() => void) | undefined;

  now(): void {
    this.#due = true;
    this.#wake?.();
  }

  /** Resolves at the next call, or after so long. */
  async wait(ms: number): Promise<void> {
    if (!this.#due) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#due = false;
  }
}
