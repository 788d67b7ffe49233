import { Context } from "@temporalio/activity";
import type { GovernedAction } from "@soma/contracts/permit";
import { Type } from "typebox";
import { Value } from "typebox/value";
import type { SessionRow } from "../ledger/session-row.ts";
import { decide } from "../permits/decide.ts";
import { askedOf, judgedText } from "../sessions/session-prompt.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { readText } from "./asked-messages.ts";
import { findKnownSession, knownSession } from "./known-session.ts";
import { readAsked } from "./run-slm-completion.ts";
import type { SessionActivities, StepMemory, TurnTexts } from "./session-activities.ts";
import { assertDayLeft, passTenantGate } from "./tenant-gate.ts";
import { recordingOutage } from "./waiting.ts";

/**
 * Asks policy about one step and records the decision. Local, idempotent: the same step and round give the recorded
 * decision. The texts stay here; the permit and Temporal's history carry their digests.
 */
export function createEvaluatePolicy(deps: ActivityDeps): SessionActivities["evaluate-policy"] {
  return async ({ session, turn, memory = {}, ...proposal }) => {
    const known =
      turn === undefined
        ? await knownSession(deps, session)
        : await findKnownSession(deps, session.tenant, session.session_id);
    const row = await passTenantGate(deps, known, proposal.step);
    // Memory uses no model tokens, and what was answered by the day's last ones may be remembered.
    if (proposal.action === "model.complete") await assertDayLeft(deps, row);
    const governed: GovernedAction = {
      action: proposal.action,
      resource: proposal.resource,
      arguments: { ...(turn === undefined ? ofPrompt(row) : ofTurn(turn)), ...memory },
    };
    const question = turn === undefined ? judgedText(session) : await readText(deps, row, turn.message_digest);
    const prompt = await withAnswer(deps, row, question, memory);
    const metadata = turn === undefined ? (session.metadata ?? {}) : await readMetadata(deps, row);
    // Only the model is metered; what the first turn is given is at hand, unless it was recalled.
    const plain = turn === undefined && memory.memory_digest === undefined;
    const meter = {
      model: row.model,
      asked: () => (plain ? Promise.resolve(askedOf(session)) : readAsked(deps, row, governed)),
    };
    const metered = proposal.action === "model.complete" ? { meter } : {};
    return recordingOutage(deps, row, proposal.step, () =>
      decide(deps, row, { ...proposal, governed, prompt, metadata, ...metered }, Context.current().cancellationSignal),
    );
  };
}

/** What is to be remembered is judged with the answer; all of it, as far as a request to policy can hold it. */
async function withAnswer(deps: ActivityDeps, row: SessionRow, question: string, memory: StepMemory): Promise<string> {
  if (memory.result_digest === undefined) return question;
  const answer = await readText(deps, row, memory.result_digest);
  return `${question}\n${answer}`.slice(0, judgedCharacters).toWellFormed();
}

/** The most that policy takes. */
const judgedCharacters = 102_400;

function ofPrompt({ prompt_digest, prompt_format }: SessionRow): GovernedAction["arguments"] {
  return { prompt_digest, ...(prompt_format !== undefined && { prompt_format }) };
}

function ofTurn({ message_digest, base_hash }: TurnTexts): GovernedAction["arguments"] {
  return { prompt_digest: message_digest, ...(base_hash !== undefined && { base_hash }) };
}

async function readMetadata(deps: ActivityDeps, row: SessionRow): Promise<Record<string, unknown>> {
  if (row.metadata_digest === undefined) return {};
  return Value.Parse(Metadata, JSON.parse(await readText(deps, row, row.metadata_digest)));
}

const Metadata = Type.Record(Type.String(), Type.Unknown());
