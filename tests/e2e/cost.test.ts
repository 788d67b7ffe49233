import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, Connection } from "@temporalio/client";
import { apiOf, demoSession } from "../harness/api.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { until } from "../harness/until.ts";

const stack = stackUnderTest();
const api = apiOf(stack.urls.orchestrator);

/** What a session costs Temporal; explained in docs/reference/cost-of-a-session.md. */
const model = { events: 14, transactions: 5, heartbeatSeconds: 3 };

test("B1: a session costs 14 history events and 5 database transactions, and one more for each heartbeat", async () => {
  const connection = await Connection.connect({ address: stack.urls.temporal });
  const client = new Client({ connection });
  for (let round = 0; round < 3; round += 1) {
    const session = demoSession("Count to three.");
    const id = session.metadata.session_id;
    const { workflow_id } = await api.start(session);
    await api.ended(id);
    const handle = client.workflow.getHandle(workflow_id);
    // The ledger is told first, so the workflow may need a moment more; its result is encrypted and not for us.
    const { raw } = await until("the workflow has ended", async () => {
      const description = await handle.describe();
      return description.status.name === "COMPLETED" ? description : undefined;
    });
    const history = await handle.fetchHistory();
    // The server's own account of how often it wrote this workflow.
    const transactions = Number(raw.workflowExecutionInfo?.stateTransitionCount);
    const expected = model.transactions + Math.floor((await effectSeconds(id)) / model.heartbeatSeconds);
    const seen = `${String(history.events?.length)} events, ${String(transactions)} transactions, ${String(expected)} expected`;
    assert.equal(history.events?.length, model.events, seen);
    assert.ok(transactions >= model.transactions && transactions <= expected * 1.05, seen);
  }
  await connection.close();
});

/** How long the model took, from the ledger. */
async function effectSeconds(id: string): Promise<number> {
  const events = await api.events(id);
  const at = (type: string): number => Date.parse(events.find((event) => event.type === type)?.time ?? "");
  return (at("effect.completed") - at("effect.intended")) / 1000;
}
