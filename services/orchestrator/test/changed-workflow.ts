import { sleep } from "@temporalio/workflow";
import type { SessionWorkflowInput } from "@soma/contracts/session";
import { sessionStartWorkflow } from "../src/workflows/session-start-workflow.ts";

/** The session workflow as a careless change would make it: something new before what running sessions have done. */
async function changed(session: SessionWorkflowInput): Promise<unknown> {
  await sleep(1);
  return sessionStartWorkflow(session);
}

export { changed as "session-start-workflow" };
