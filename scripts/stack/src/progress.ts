import type { PartState, StackState } from "./state/stack-state.ts";

/** How often a terminal's lines are drawn again, so that the seconds of a starting part run. */
const redrawEveryMs = 200;

/** Shows a stack's parts: on a terminal as lines that change, elsewhere as one line for each change. */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #shown = new Map<string, string>();
  #state: StackState | undefined;
  #drawn = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(out: NodeJS.WriteStream = process.stdout) {
    this.#out = out;
  }

  show(state: StackState): void {
    this.#state = state;
    if (this.#out.isTTY) {
      this.#timer ??= setInterval(() => {
        this.#draw();
      }, redrawEveryMs).unref();
      this.#draw();
      return;
    }
    for (const part of state.parts) {
      if (this.#shown.get(part.name) === part.status) continue;
      this.#shown.set(part.name, part.status);
      if (part.status !== "waiting") this.#out.write(`${describePart(part)}\n`);
    }
  }

  /** Leaves the last lines as they are; what is written next stands below them. */
  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#drawn = 0;
  }

  #draw(): void {
    if (this.#state === undefined) return;
    // ANSI: up over what was drawn, then from there to the end of the screen cleared.
    const back = this.#drawn === 0 ? "" : `\u001B[${String(this.#drawn)}A\u001B[0J`;
    // Longer lines would wrap and spoil the count; a terminal without a size says 0.
    const width = this.#out.columns > 0 ? this.#out.columns - 1 : 79;
    const lines = this.#state.parts.map((part) => describePart(part).slice(0, width));
    this.#out.write(`${back}${lines.join("\n")}\n`);
    this.#drawn = lines.length;
  }
}

/** One line: name, status, seconds while or until it started, and where it is or what is wrong with it. */
export function describePart(part: PartState): string {
  const seconds = describeSeconds(part);
  const where = part.note ?? (part.status === "ready" ? part.address : "");
  return `  ${part.name.padEnd(17)} ${part.status.padEnd(10)} ${seconds.padStart(8)}  ${where}`.trimEnd();
}

function describeSeconds({ status, since, readyAfterMs }: PartState): string {
  if (status === "ready") return `${((readyAfterMs ?? 0) / 1000).toFixed(1)} s`;
  const seconds = Math.round((Date.now() - Date.parse(since)) / 1000);
  return status === "starting" && seconds > 0 ? `${String(seconds)} s` : "";
}
