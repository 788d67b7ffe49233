import { isTerminal, type AuditEvent, type SessionView } from "@soma/client/shapes";
import type { SessionUpdate } from "@soma/client/watch-session";
import type { Context } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { describeWaiting } from "../output/approval-text.ts";
import type { LiveText } from "../output/live-text.ts";
import { harmless } from "../output/terminal.ts";
import { conclude, follow, openText } from "./follow-session.ts";

interface FollowedTurn {
  readonly id: string;
  readonly turn: number;
  readonly after: number;
  /** To the end of the turn, or of the session. */
  readonly updates: AsyncIterable<SessionUpdate>;
  /** Ends `updates`. */
  readonly stop: AbortController;
  /** Leaves with the exit code 8 as soon as the turn waits for somebody; else looks on. */
  readonly leavesWhenWaiting: boolean;
}

/**
 * Follows one turn of a conversation and shows it as `followSession` shows a session. Sets the exit code: 7 for a turn
 * without an answer, 8 for one that waits for an approval or for more budget.
 */
export async function followTurn(
  context: Context,
  { id, turn, after, updates, stop, leavesWhenWaiting }: FollowedTurn,
): Promise<void> {
  const { soma, settings, terminal } = context;
  let ended: AuditEvent | undefined;
  let waiting: SessionView | undefined;
  const text = openText(context);
  const isEnough = async (event: AuditEvent): Promise<boolean> => {
    if (isEndOf(event, turn)) ended = event;
    if (ended !== undefined || !asksSomebody(event)) return false;
    const view = await soma.getSession(id, { signal: stop.signal });
    // It may have been decided on since: an event tells what was.
    const waits = view.turn === turn && (view.status === "waiting_approval" || view.status === "waiting_budget");
    if (waits && !settings.json) terminal.say(`\n${describeWaiting(terminal, view)}`);
    if (waits && leavesWhenWaiting) waiting = view;
    return waiting !== undefined;
  };
  if (!(await follow(context, { id, after, updates, stop, text, isEnough }))) return;
  if (waiting !== undefined) {
    if (settings.json) terminal.out(`${JSON.stringify({ kind: "session", session: waiting })}\n`);
    process.exitCode = exitCodes.waits.code;
    return;
  }
  const view = await soma.getSession(id);
  if (ended !== undefined) concludeTurn(context, view, ended, text);
  else conclude(context, view, text);
}

/** True for the event with which a turn ends. */
export function isEndOf({ type, data }: AuditEvent, turn: number): boolean {
  return type === "turn.ended" && data["turn"] === turn;
}

/** True for an event after which the session may stand still until somebody does something. */
export function asksSomebody({ type }: AuditEvent): boolean {
  return type === "approval.requested" || type === "budget.exhausted";
}

/** The end of a turn: what is not shown yet of its answer, how it ended, the exit code. */
export function concludeTurn(
  { terminal, settings }: Pick<Context, "terminal" | "settings">,
  view: SessionView,
  { data }: AuditEvent,
  text: LiveText,
): void {
  const isAnswered = data["outcome"] === "answered";
  if (!isAnswered) process.exitCode = exitCodes.notCompleted.code;
  if (settings.json) return terminal.out(`${JSON.stringify({ kind: "session", session: view })}\n`);
  // Another turn may have been answered since; then the view holds that one's text.
  const result = view.result?.text_digest === data["result_digest"] ? view.result : undefined;
  if (isAnswered) terminal.out(`${harmless(text.missing(result?.text))}\n`);
  const outcome = terminal.style(
    isAnswered ? "green" : "red",
    `turn ${String(data["turn"])} ${String(data["outcome"])}`,
    "say",
  );
  const why =
    view.turn_failure && view.turn === data["turn"] ? `: ${view.turn_failure.detail} (${view.turn_failure.code})` : "";
  const used = isAnswered && result ? `, ${String(result.usage.total_tokens)} tokens of ${result.model}` : "";
  const state = isTerminal(view.status) ? `; the session is ${view.status}` : "";
  terminal.say(`${outcome}${harmless(why + used + state)}\n`);
}
