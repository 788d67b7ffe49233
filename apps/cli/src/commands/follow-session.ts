import { isTerminal, type AuditEvent, type Delta, type SessionView } from "@soma/client/shapes";
import type { Context } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { describeEvent } from "../output/event-text.ts";
import { harmless } from "../output/terminal.ts";

/**
 * Follows a session to its end. For people: progress on standard error and the answer on standard output, as it is made
 * where one looks on, and whole where a program reads. With `--json`: each event and piece as a line, the session last.
 * Ctrl-C ends the watching and not the session. Sets the exit code: 7 for a session that did not complete.
 */
export async function followSession(context: Context, id: string, after: number): Promise<void> {
  const { soma, settings, terminal } = context;
  const stop = new AbortController();
  const interrupt = (): void => {
    stop.abort();
  };
  process.once("SIGINT", interrupt);
  const text = new GrowingText((piece) => {
    terminal.out(harmless(piece));
  });
  let last = after;
  try {
    for await (const update of soma.watchSession(id, { after, signal: stop.signal })) {
      if (update.kind === "event") last = update.event.sequence;
      if (settings.json) terminal.out(`${JSON.stringify(update)}\n`);
      else if (update.kind === "event") terminal.say(`${terminal.style("dim", progressLine(update.event), "say")}\n`);
      else if (terminal.isInteractive) text.add(update.delta);
    }
    const view = await soma.getSession(id, { signal: stop.signal });
    if (settings.json) terminal.out(`${JSON.stringify({ kind: "session", session: view })}\n`);
    else conclude(context, view, text);
    if (isTerminal(view.status) && view.status !== "completed") process.exitCode = exitCodes.notCompleted.code;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    const places = settings.urlFrom === "--url" ? ` --url ${settings.url}` : "";
    terminal.say(
      `\nThe session goes on without you.\n  follow it: soma session watch ${id} --after ${String(last)}${places}\n  end it:    soma session cancel ${id}${places}\n`,
    );
    process.exitCode = exitCodes.interrupted.code;
  } finally {
    process.removeListener("SIGINT", interrupt);
  }
}

function progressLine(event: AuditEvent): string {
  return `${String(event.sequence).padStart(3)}  ${harmless(describeEvent(event))}`;
}

function conclude({ terminal }: Context, view: SessionView, shown: GrowingText): void {
  const { result, error, status } = view;
  if (result) terminal.out(`${harmless(shown.missing(result.text))}\n`);
  const colour = status === "completed" ? "green" : "red";
  const why = error ? `: ${error.detail} (${error.code})` : "";
  const used = result ? `, ${String(result.usage.total_tokens)} tokens of ${result.model}` : "";
  terminal.say(`${terminal.style(colour, status, "say")}${harmless(why + used)}\n`);
}

/** A text that is shown while it is made: only pieces that follow on what is shown already. */
class GrowingText {
  readonly #show: (piece: string) => void;
  #shown = "";

  constructor(show: (piece: string) => void) {
    this.#show = show;
  }

  add({ offset, text }: Delta): void {
    // A piece that was lost with a connection leaves a hole: the rest comes with the result.
    if (offset !== this.#shown.length) return;
    this.#shown += text;
    this.#show(text);
  }

  /** What is still to be shown of the whole text; all of it, on a new line, when what is shown is not its beginning. */
  missing(whole: string): string {
    if (whole.startsWith(this.#shown)) return whole.slice(this.#shown.length);
    return `\n${whole}`;
  }
}
