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
import type { SessionActivities, TurnTexts } from "./session-activities.ts";
import { assertDayLeft, passTenantGate } from "./tenant-gate.ts";
import { recordingOutage } from "./waiting.ts";

/**
 * Asks policy about one step and records the decision. Local, idempotent: the same step and round give the recorded
 * decision. The texts stay here; the permit and Temporal's history carry their digests.
 */
export function createEvaluatePolicy(deps: ActivityDeps): SessionActivities["evaluate-policy"] {
  return async ({ session, turn, ...proposal }) => {
    const known =
      turn === undefined
        ? await knownSession(deps, session)
        : await findKnownSession(deps, session.tenant, session.session_id);
    const row = await passTenantGate(deps, known, proposal.step);
    await assertDayLeft(deps, row);
    const governed: GovernedAction = {
      action: proposal.action,
      resource: proposal.resource,
      arguments: turn === undefined ? ofPrompt(row) : ofTurn(turn),
    };
    const prompt = turn === undefined ? judgedText(session) : await readText(deps, row, turn.message_digest);
    const metadata = turn === undefined ? (session.metadata ?? {}) : await readMetadata(deps, row);
    const meter = {
      model: row.model,
      asked: () => (turn === undefined ? Promise.resolve(askedOf(session)) : readAsked(deps, row, governed)),
    };
    return recordingOutage(deps, row, proposal.step, () =>
      decide(deps, row, { ...proposal, governed, prompt, metadata, meter }, Context.current().cancellationSignal),
    );
  };
}

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
