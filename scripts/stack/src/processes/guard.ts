import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { GuardianMessage } from "./guardian-messages.ts";

/** The owner's side of the guardian process. */
export class Guard {
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;

  constructor(marker: string) {
    // Its own session: Ctrl-C in the owner's terminal must not reach it. Standard error stays the owner's.
    const program = fileURLToPath(new URL("guardian.ts", import.meta.url));
    this.#child = spawn(process.execPath, [program, marker], { stdio: ["pipe", "ignore", "inherit"], detached: true });
    this.#gone = once(this.#child, "exit");
    // Should the guardian be killed, the pipe breaks; the stack goes on, and `down` still finds all by the state file.
    this.#child.stdin?.on("error", () => undefined);
    // The owner may end without waiting: that is what the guardian is for.
    this.#child.unref();
  }

  /** Tells what must not outlive the owner; before or at once after it exists. */
  tell(message: GuardianMessage): void {
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  /** Ends the guardian, which kills what is left of the stack, and waits for it. */
  async end(): Promise<void> {
    this.#child.ref();
    this.#child.stdin?.end();
    await this.#gone;
  }
}
