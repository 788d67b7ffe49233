import type { OpenApproval, SessionView } from "@soma/client/shapes";
import { describeBudget } from "./budget-text.ts";
import { formatFields, formatTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** All that somebody decides on. */
export function describeApproval(terminal: Terminal, approval: OpenApproval, now = Date.now()): string {
  const { quorum, granted_by: granted } = approval;
  const people = quorum === 1 ? "" : `, ${String(quorum)} people`;
  return formatFields(terminal, {
    approval: approval.approval_id,
    step: `${approval.step}, ${approval.action} on ${approval.resource}`,
    asked_by: approval.requested_by,
    takes: `${approval.role}${people}${granted.length === 0 ? "" : `; given by ${granted.join(", ")}`}`,
    reasons: approval.reasons.length === 0 ? undefined : approval.reasons.join("; "),
    digest: approval.action_digest,
    expires: `${approval.expires_at} (${inMinutes(Date.parse(approval.expires_at) - now)})`,
    prompt: approval.prompt,
  });
}

function inMinutes(ms: number): string {
  if (ms <= 0) return "over";
  return ms < 120_000 ? `in ${String(Math.ceil(ms / 1_000))} s` : `in ${String(Math.floor(ms / 60_000))} min`;
}

/** What waits in each session, for people. */
export function tabulateApprovals(terminal: Terminal, sessions: readonly SessionView[]): string {
  const rows = sessions.flatMap(({ session_id: id, approvals = [] }) =>
    approvals.map((approval) => [
      id,
      approval.approval_id,
      approval.action,
      approval.requested_by,
      approval.role,
      approval.expires_at.replace(/\.\d+Z$/, "Z"),
      approval.reasons.join("; "),
    ]),
  );
  if (rows.length === 0) return "Nothing waits for an approval.\n";
  return formatTable(terminal, ["SESSION", "APPROVAL", "ACTION", "ASKED BY", "TAKES", "EXPIRES", "REASONS"], rows);
}

/** What a session waits for that takes somebody, and what he has to type; nothing when it waits for nobody. */
export function describeWaiting(terminal: Terminal, view: SessionView): string {
  const { session_id: id, approvals = [], budget } = view;
  if (view.status === "waiting_approval")
    return approvals
      .map((approval) => {
        const next = `soma session approve ${id} ${approval.approval_id}`;
        return `${describeApproval(terminal, approval)}Somebody else has to decide: ${next}, or deny.\n`;
      })
      .join("\n");
  if (view.status !== "waiting_budget" || !budget) return "";
  const used = describeBudget(budget, view.created_at);
  return `The budget does not do: ${used}.\nMore of it: soma session extend-budget ${id} --tokens NUMBER, --cost, --steps or --time.\n`;
}
