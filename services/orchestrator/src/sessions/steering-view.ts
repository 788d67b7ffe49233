import { errors } from "@soma/contracts/error-codes";
import type { SessionAction, SessionView } from "@soma/contracts/session";
import type { OpenApproval } from "@soma/contracts/session-action";
import { allowedActions } from "@soma/contracts/session-machine";
import { openOf } from "../ledger/session-approvals.ts";
import { reservedTotal } from "../ledger/session-budget.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { isNextDue } from "../ledger/session-turns.ts";
import { readText } from "./read-text.ts";
import type { SessionDeps } from "./session-deps.ts";

/** What a session's users see of its conversation, its approvals, its budget, and what they can do now. */
export async function viewSteering(
  deps: Pick<SessionDeps, "ledger">,
  row: SessionRow,
  text: boolean,
): Promise<
  Pick<SessionView, "mode" | "turn" | "turn_failure" | "messages_waiting" | "approvals" | "budget" | "actions">
> {
  const { mode, turns, budget } = row;
  const open = openOf(row.approvals ?? []);
  return {
    ...(mode !== undefined && { mode }),
    ...viewTurns(turns),
    ...(open.length > 0 && { approvals: await withPrompts(deps, row, open, text) }),
    ...(budget && { budget: { limit: budget.limit, spent: budget.spent, reserved: reservedTotal(budget) } }),
    actions: actionsNow(row),
  };
}

/** Between two turns the next one counts as under way as soon as its message is there. */
export function viewTurns(turns: SessionRow["turns"]): Pick<SessionView, "turn" | "turn_failure" | "messages_waiting"> {
  if (turns === undefined) return {};
  const { turn, code, waiting } = turns;
  const isNext = isNextDue(turns);
  return {
    turn: isNext ? turn + 1 : turn,
    messages_waiting: waiting.length,
    ...(code !== undefined && !isNext && { turn_failure: { code, detail: `${errors[code].title}.` } }),
  };
}

/** The actions that a session's state allows now. */
export function actionsNow(row: SessionRow): SessionAction[] {
  return allowedActions(row.status, {
    interactive: row.mode === "interactive",
    paused_by_request: row.paused?.reason === "requested",
    failed_turn: row.turns?.outcome === "failed",
    budget: row.budget !== undefined,
    canceling: row.cancel_requested === true,
  });
}

/** Who decides must see what on; whose rights end at the ledger sees its digests. */
async function withPrompts(
  { ledger }: Pick<SessionDeps, "ledger">,
  row: SessionRow,
  open: ReturnType<typeof openOf>,
  text: boolean,
): Promise<OpenApproval[]> {
  const digest = row.turns?.message_digest ?? row.prompt_digest;
  const read = text ? await readText(ledger, row, digest) : undefined;
  const prompt = read !== undefined && "text" in read && { prompt: read.text };
  return open.map(({ effect_key: _key, ...approval }) => ({ ...approval, ...prompt }));
}
