import { Context } from "@temporalio/activity";
import type { GovernedAction } from "@soma/contracts/permit";
import { decide } from "../permits/decide.ts";
import { judgedText } from "../sessions/session-prompt.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { knownSession } from "./known-session.ts";
import type { SessionActivities } from "./session-activities.ts";
import { assertDayLeft, passTenantGate } from "./tenant-gate.ts";
import { recordingOutage } from "./waiting.ts";

/**
 * Asks policy about one step and records the decision. Local, idempotent: the same step and round give the recorded
 * decision. The texts stay here; the permit and Temporal's history carry their digests.
 */
export function createEvaluatePolicy(deps: ActivityDeps): SessionActivities["evaluate-policy"] {
  return async ({ session, ...proposal }) => {
    const row = await passTenantGate(deps, await knownSession(deps, session), proposal.step);
    await assertDayLeft(deps, row);
    const governed: GovernedAction = {
      action: proposal.action,
      resource: proposal.resource,
      arguments: {
        prompt_digest: row.prompt_digest,
        ...(row.prompt_format !== undefined && { prompt_format: row.prompt_format }),
      },
    };
    const prompt = judgedText(session);
    const { metadata = {} } = session;
    return recordingOutage(deps, row, proposal.step, () =>
      decide(deps, row, { ...proposal, governed, prompt, metadata }, Context.current().cancellationSignal),
    );
  };
}
