import { ApplicationFailure, proxyActivities } from "@temporalio/workflow";
import type { SessionWorkflowInput } from "@soma/contracts/session";
import { slmAudience } from "@soma/contracts/wire-names";
import type { SessionActivities } from "../../../services/orchestrator/src/activities/session-activities.ts";

/** As one writes it first: each activity goes through the server and back. */
const remote = proxyActivities<SessionActivities>({
  startToCloseTimeout: "10m",
  heartbeatTimeout: "10s",
  allowEagerDispatch: false,
});
const step = "completion-1";

/** The same governed work as a session of ours, by the same activities, in the obvious way. */
async function naiveSession(session: SessionWorkflowInput): Promise<void> {
  const { tenant, session_id, model } = session;
  const outcome = await remote["evaluate-policy"]({
    session,
    step,
    round: 1,
    action: "model.complete",
    resource: `model:${model ?? "default"}`,
  });
  if (!("permit" in outcome)) throw ApplicationFailure.nonRetryable("The load is to be allowed.", "POLICY_DENIED");
  const token = await remote["issue-identity-token"](outcome.permit, outcome.action, slmAudience);
  const result = await remote["run-slm-completion"](outcome.permit, outcome.action, token);
  await remote["emit-audit-event"]({ tenant, session_id, end: { status: "completed", result } });
}

export { naiveSession as "session-start-workflow" };
