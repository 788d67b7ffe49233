import type { SessionUpdate } from "@soma/client/watch-session";
import { isTerminal, type AuditEvent, type EventGap, type SessionView } from "@soma/client/shapes";
import type { Context } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { describeEvent } from "../output/event-text.ts";
import { LiveText } from "../output/live-text.ts";
import { harmless } from "../output/terminal.ts";

/**
 * Follows a session to its end. For people: progress on standard error and the answer on standard output, as it is made
 * where one looks on, and whole where a program reads. With `--json`: each event and piece as a line, the session last.
 * Ctrl-C ends the watching and not the session. Sets the exit code: 7 for a session that did not complete.
 */
export async function followSession(context: Context, id: string, after: number): Promise<void> {
  const stop = new AbortController();
  const updates = context.soma.watchSession(id, { after, signal: stop.signal });
  const text = openText(context);
  const isThere = await follow(context, { id, after, updates, stop, text });
  if (!isThere) return;
  conclude(context, await context.soma.getSession(id), text);
}

interface Followed {
  readonly id: string;
  /** Where following begins; what is said to somebody who leaves before anything came. */
  readonly after: number;
  readonly updates: AsyncIterable<SessionUpdate>;
  /** Ends `updates`. */
  readonly stop: AbortController;
  readonly text: LiveText;
  /** Asked after each event; true for one after which nobody looks on. */
  readonly isEnough?: (event: AuditEvent) => Promise<boolean>;
}

/** A text that is shown as it is made where somebody looks on, and gathered where a program reads. */
export function openText({ terminal, settings }: Pick<Context, "terminal" | "settings">): LiveText {
  const show = (piece: string): void => {
    terminal.out(harmless(piece));
  };
  return new LiveText(terminal.isInteractive && !settings.json ? show : undefined);
}

/** Shows updates as they come. False when Ctrl-C ended it: then it has said how to go on, and set the exit code. */
export async function follow(
  context: Context,
  { id, after, updates, stop, text, isEnough }: Followed,
): Promise<boolean> {
  const { settings, terminal } = context;
  const interrupt = (): void => {
    stop.abort();
  };
  process.once("SIGINT", interrupt);
  let last = after;
  try {
    for await (const update of updates) {
      if (settings.json) terminal.out(`${JSON.stringify(update)}\n`);
      if (update.kind === "delta") text.add(update.delta);
      else if (update.kind === "gap") {
        last = update.gap.to;
        if (!settings.json) terminal.say(`${terminal.style("dim", gapLine(update.gap), "say")}\n`);
      } else {
        last = update.event.sequence;
        if (!settings.json) terminal.say(`${terminal.style("dim", progressLine(update.event), "say")}\n`);
        if (isEnough && (await isEnough(update.event))) break;
      }
    }
    return true;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    const places = settings.urlFrom === "--url" ? ` --url ${settings.url}` : "";
    terminal.say(
      `\nThe session goes on without you.\n  follow it: soma session watch ${id} --after ${String(last)}${places}\n  end it:    soma session cancel ${id}${places}\n`,
    );
    process.exitCode = exitCodes.interrupted.code;
    return false;
  } finally {
    process.removeListener("SIGINT", interrupt);
  }
}

function progressLine(event: AuditEvent): string {
  return `${String(event.sequence).padStart(3)}  ${harmless(describeEvent(event))}`;
}

function gapLine({ from, to }: EventGap): string {
  return `     events ${String(from)} to ${String(to)} are not kept any more`;
}

/** The end of a session: what is not shown yet of its answer, how it ended, the exit code. */
export function conclude({ terminal, settings }: Context, view: SessionView, text: LiveText): void {
  const { result, error, status } = view;
  const isGood = !isTerminal(status) || status === "completed";
  if (!isGood) process.exitCode = exitCodes.notCompleted.code;
  if (settings.json) return terminal.out(`${JSON.stringify({ kind: "session", session: view })}\n`);
  if (result) terminal.out(`${harmless(text.missing(result.text))}\n`);
  const colour = isGood ? "green" : "red";
  const why = error ? `: ${error.detail} (${error.code})` : "";
  const used = result ? `, ${String(result.usage.total_tokens)} tokens of ${result.model}` : "";
  terminal.say(`${terminal.style(colour, status, "say")}${harmless(why + used)}\n`);
}
