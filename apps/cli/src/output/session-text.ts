import { isTerminal, type SessionStatus, type SessionView } from "@soma/client/shapes";
import { describeApproval } from "./approval-text.ts";
import { describeBudget } from "./budget-text.ts";
import { formatFields, formatTable } from "./table.ts";
import { harmless, type Terminal } from "./terminal.ts";

/** One session with its result, for people. */
export function describeSession(terminal: Terminal, view: SessionView): string {
  const { result, error, decision, turn_failure: failure, approvals = [], actions = [] } = view;
  const fields = formatFields(terminal, {
    session: view.session_id,
    status: statusOf(view),
    user: `${view.user} of ${view.tenant}`,
    model: result?.model ?? view.model,
    labels: view.labels.length === 0 ? undefined : view.labels.join(" "),
    created: view.created_at,
    updated: view.updated_at,
    policy: decision && `${decision.allowed ? "allowed" : "denied"} ${decision.reasons.join("; ")}`.trim(),
    error: error && `${error.detail} (${error.code})`,
    tokens: result && `${String(result.usage.prompt_tokens)} in, ${String(result.usage.completion_tokens)} out`,
    turn: turnOf(view),
    last_turn: failure && `${failure.detail} (${failure.code})`,
    budget: view.budget && describeBudget(view.budget, view.created_at),
    texts: view.texts_gone && `gone: ${view.texts_gone}`,
    allows: actions.length === 0 ? undefined : actions.join(" "),
    events: String(view.last_seq),
  });
  const waiting = approvals.map((approval) => `\n${describeApproval(terminal, approval)}`).join("");
  return `${fields}${waiting}${result ? `\n${harmless(result.text)}\n` : ""}`;
}

function turnOf({ turn, messages_waiting: waiting = 0 }: SessionView): string | undefined {
  if (turn === undefined) return undefined;
  return waiting === 0 ? String(turn) : `${String(turn)}, ${String(waiting)} waiting messages`;
}

/** Sessions as a table, for people. */
export function tabulateSessions(terminal: Terminal, sessions: readonly SessionView[]): string {
  if (sessions.length === 0) return "No sessions.\n";
  const rows = sessions.map((view) => [
    view.session_id,
    statusOf(view),
    view.user,
    view.created_at.replace(/\.\d+Z$/, "Z"),
    view.labels.join(" "),
  ]);
  return formatTable(terminal, ["SESSION", "STATUS", "USER", "CREATED", "LABELS"], rows);
}

function statusOf({ status, blocked_on: blockedOn }: { status: SessionStatus; blocked_on?: string }): string {
  return blockedOn === undefined || isTerminal(status) ? status : `${status}, waits for ${blockedOn}`;
}
