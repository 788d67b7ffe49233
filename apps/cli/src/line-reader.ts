import { createInterface, type Interface } from "node:readline";

/** Lines that a person types, one asked for at a time; what is typed meanwhile waits. */
export class LineReader implements Disposable {
  readonly #lines: string[] = [];
  readonly #interface: Interface;
  #isOver = false;
  #wake: () => void = () => undefined;
  #interrupted: () => void = () => undefined;

  constructor() {
    // What is typed is no answer: it shows on standard error.
    this.#interface = createInterface({ input: process.stdin, output: process.stderr, terminal: true });
    this.#interface.on("line", (line) => {
      this.#lines.push(line);
      this.#wake();
    });
    this.#interface.on("close", () => {
      this.#isOver = true;
      this.#wake();
    });
    this.#interface.on("SIGINT", () => {
      this.#interrupted();
    });
  }

  /** The next line; undefined when there is no more of them (Ctrl-D). Ctrl-C empties the line. */
  async next(prompt: string): Promise<string | undefined> {
    this.#interface.setPrompt(prompt);
    this.#interrupted = () => {
      // As readline does it itself: what stands in the line goes, by Ctrl-E and Ctrl-U.
      this.#interface.write(null, { ctrl: true, name: "e" });
      this.#interface.write(null, { ctrl: true, name: "u" });
    };
    if (this.#lines.length === 0 && !this.#isOver) {
      this.#interface.prompt();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#interrupted = () => undefined;
    return this.#lines.shift();
  }

  /** Calls this for each Ctrl-C until the next line is asked for. */
  onInterrupt(interrupted: () => void): void {
    this.#interrupted = interrupted;
  }

  [Symbol.dispose](): void {
    this.#interface.close();
  }
}
