import { eventData, type NewEvent } from "@soma/contracts/audit";
import type { Digest } from "@soma/contracts/ids";
import { Value } from "typebox/value";
import type { NewContent } from "../ledger/content.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { newTranscriptNode } from "../sessions/transcript.ts";
import { readMessages } from "./asked-messages.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { findKnownSession } from "./known-session.ts";
import type { EndTurnInput, SessionActivities } from "./session-activities.ts";
import { openEffectOutcomes } from "./session-end.ts";
import { eventContext } from "./step-events.ts";

/**
 * Records how a turn ended, in one append with the outcome of a step of it that was intended and not completed. After an
 * interruption its message stays in the conversation, without an answer. Local, idempotent.
 */
export function createEndTurn(deps: ActivityDeps): SessionActivities["end-turn"] {
  return async ({ tenant, session_id, ...turn }) => {
    const row = await findKnownSession(deps, tenant, session_id);
    // Of the step and not of the turn alone: a turn that is tried again ends again.
    const key = `${turn.step}/turn.ended`;
    const recorded = await deps.ledger.findEvent(tenant, session_id, key);
    if (recorded !== undefined) return baseOf(Value.Parse(eventData["turn.ended"], recorded.data).base_hash);
    const node = turn.outcome === "interrupted" ? await unanswered(deps, row) : undefined;
    const base_hash = node?.digest ?? turn.base_hash;
    const open =
      turn.outcome === "answered"
        ? []
        : await openEffectOutcomes(deps.ledger, row, turn.code ?? "TURN_INTERRUPTED", stepsOf(turn));
    const ended: NewEvent = {
      ...eventContext(row),
      type: "turn.ended",
      key,
      data: { ...turn, ...baseOf(base_hash) },
    };
    await deps.ledger.append([...open, ended], node ? [node] : []);
    return baseOf(base_hash);
  };
}

/** The message alone: what was asked is part of the conversation, though nobody answered. */
async function unanswered(deps: ActivityDeps, row: SessionRow): Promise<NewContent> {
  const { turns } = row;
  const digest = turns?.message_digest ?? row.prompt_digest;
  const format = turns?.message_digest === undefined ? row.prompt_format : undefined;
  return newTranscriptNode(row, turns?.base_hash, await readMessages(deps, row, digest, format));
}

/** The step, and those of memory that are named after it. */
function stepsOf({ step }: Pick<EndTurnInput, "step">): (other: string) => boolean {
  const own = new Set([step, step.replace("completion", "recall"), step.replace("completion", "remember")]);
  return (other) => own.has(other);
}

function baseOf(base_hash: Digest | undefined): { base_hash?: Digest } {
  return base_hash === undefined ? {} : { base_hash };
}
