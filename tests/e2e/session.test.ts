import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";
import { apiOf, demoSession } from "../harness/api.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";

const run = promisify(execFile);
const stack = stackUnderTest();
const api = apiOf(stack.urls.orchestrator);

test("the smoke session runs to its end with a real answer, its decision and the token's id", async () => {
  const accepted = await api.start({
    tenant: "tenant-demo",
    user: "user-demo",
    prompt: "kick off a demo",
    metadata: { session_id: "sess-local" },
  });
  assert.equal(accepted.session_id, "sess-local");
  assert.equal(accepted.workflow_id, "session-sess-local");
  assert.equal(accepted.task_queue, "somagent.session.workflows");
  assert.equal(accepted.status, "running");
  assert.match(accepted.run_id, /^[0-9a-f-]{36}$/);
  const view = await api.ended("session-sess-local");
  assert.equal(view.status, "completed");
  assert.equal(view.run_id, accepted.run_id);
  assert.ok(view.result && view.result.text.length > 0, "no text");
  assert.ok(view.result.usage.prompt_tokens > 0 && view.result.usage.completion_tokens > 0);
  assert.equal(view.result.usage.total_tokens, view.result.usage.prompt_tokens + view.result.usage.completion_tokens);
  assert.equal(view.decision?.allowed, true);
  assert.match(view.decision.policy_version, /^sha256:[0-9a-f]{64}$/);
  assert.match(view.token?.jti ?? "", /^[0-9a-f-]{36}$/);
  assert.deepEqual(view.token?.scopes, ["model.complete"]);
  assert.deepEqual(await api.view("sess-local"), view);
});

test("the ledger of a session tells decision, token, intent and outcome in order, and verifies offline", async () => {
  const session = demoSession("Say hello in three words.");
  await api.start(session);
  const id = session.metadata.session_id;
  await api.ended(id);
  const events = await api.events(id);
  const expected = [
    "session.created",
    "policy.decided",
    "token.issued",
    "effect.intended",
    "effect.completed",
    "session.completed",
  ];
  assert.deepEqual(
    events.map(({ type }) => type),
    expected,
  );
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    [1, 2, 3, 4, 5, 6],
  );
  const folder = mkdtempSync(join(tmpdir(), "soma-export-"));
  const file = join(folder, "session.json");
  writeFileSync(file, JSON.stringify({ events }));
  const verifier = fileURLToPath(new URL("../../scripts/soma-verify.ts", import.meta.url));
  await run(process.execPath, [verifier, file]);
  // The proof fails when one byte of one event is another.
  writeFileSync(file, JSON.stringify({ events }).replace('"role":"operator"', '"role":"admin"'));
  await assert.rejects(run(process.execPath, [verifier, file]), { code: 1 });
  rmSync(folder, { recursive: true });
});

test("the stock Temporal CLI lists the workflow by its type and shows the activities by name", async () => {
  const session = demoSession("Name one color.");
  await api.start(session);
  const id = session.metadata.session_id;
  await api.ended(id);
  const at = ["--address", stack.urls.temporal];
  const list = await run(stack.temporalCli, [
    "workflow",
    "list",
    "--query",
    'WorkflowType="session-start-workflow" AND TenantId="tenant-demo"',
    "-o",
    "json",
    ...at,
  ]);
  assert.match(list.stdout, new RegExp(`session-${id}`));
  const shown = await run(stack.temporalCli, [
    "workflow",
    "show",
    "--workflow-id",
    `session-${id}`,
    "-o",
    "json",
    ...at,
  ]);
  for (const name of ["evaluate-policy", "issue-identity-token", "run-slm-completion", "emit-audit-event"]) {
    assert.ok(namesIn(shown.stdout).has(name), `${name} is not in the history`);
  }
});

/** Every text of a history, those inside base64 payloads included: local activities name themselves in markers. */
function namesIn(history: string): Set<string> {
  const names = new Set<string>();
  JSON.parse(history, (_key, value: unknown) => {
    if (typeof value !== "string") return value;
    names.add(value);
    for (const [, name] of Buffer.from(value, "base64")
      .toString("utf8")
      .matchAll(/"([a-z]+(?:-[a-z]+)+)"/g))
      if (name) names.add(name);
    return value;
  });
  return names;
}

/** Runs a session by the Python SDK, which knows no key of ours, and gives what its client got: a result or a failure. */
async function runByPython(id: string, more: Record<string, unknown>) {
  const script = `
import asyncio, json, os, sys
from temporalio.client import Client, WorkflowFailureError
async def main(address, id, more):
    client = await Client.connect(address)
    try:
        result = await client.execute_workflow("session-start-workflow",
            {"session_id": id, "tenant": "tenant-demo", "user": "user-demo", "prompt": "Name one animal.", **json.loads(more)},
            id="session-" + id, task_queue="somagent.session.workflows")
    except WorkflowFailureError as error:
        result = {"type": error.cause.type, "message": error.cause.message}
    print(json.dumps(result), flush=True)
    # The SDK's native threads can abort an interpreter that is ending; what is to be shown is on its way already.
    os._exit(0)
asyncio.run(main(*sys.argv[1:]))`;
  const { stdout } = await run(stack.python, ["-c", script, stack.urls.temporal, id, JSON.stringify(more)]);
  return JSON.parse(stdout);
}

test("a Python Temporal client starts a session by its wire names and reads the result", async () => {
  const id = demoSession("").metadata.session_id;
  const result = await runByPython(id, {});
  const view = await api.view(id);
  assert.equal(result.status, "completed");
  assert.deepEqual(result.result, view.result);
  assert.deepEqual(result.decision, view.decision);
  assert.deepEqual(result.token, view.token);
  assert.equal((await api.events(id))[0]?.authn, "temporal-client");
});

test("a Python Temporal client reads why its session failed: code and words, as it asked in clear", async () => {
  const noModel = await runByPython(demoSession("").metadata.session_id, { model: "no-such-model" });
  assert.deepEqual(noModel, {
    type: "MODEL_NOT_FOUND",
    message: "The model service has no model of this name.",
  });
  const noSession = await runByPython(demoSession("").metadata.session_id, { tenant: "not a tenant" });
  assert.equal(noSession.type, "VALIDATION_FAILED");
  assert.match(noSession.message, /^The workflow's input does not fit: \/tenant /);
});
