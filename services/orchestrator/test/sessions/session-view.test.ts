import assert from "node:assert/strict";
import { test } from "node:test";
import { SessionView } from "@soma/contracts/session";
import { sha256 } from "@soma/kit/digest";
import { Value } from "typebox/value";
import { eventContext } from "../../src/activities/step-events.ts";
import { newContent } from "../../src/ledger/content.ts";
import { viewSession } from "../../src/sessions/session-view.ts";
import { createSessionDeps } from "../harness/session-deps.ts";
import { openSession, readRow } from "../harness/sessions.ts";
import { code } from "../ledger/refusal.ts";
import { completedEvent, recoveredEvent, stepEvents, unavailableEvent, usage } from "../ledger/sample-events.ts";
import { openTemporaryLedger } from "../ledger/sqlite-store.ts";

/** What a session's row holds and its users have no business with. */
const hidden = ["prompt_digest", "metadata_digest", "role", "agent", "authn"];

async function openWorld() {
  const store = await openTemporaryLedger();
  const seen = { temporalIsUp: true };
  const { deps, ...link } = createSessionDeps(store.ledger, seen);
  const row = await openSession(store.ledger, {
    prompt: "canary-prompt",
    model: "small",
    metadata: { labels: ["a"], capsule: "writer", note: "canary-note" },
  });
  return {
    ledger: store.ledger,
    deps,
    row,
    seen,
    view: async () => {
      const view = await viewSession(deps, await readRow(store.ledger, row));
      assert.ok(Value.Check(SessionView, view), JSON.stringify(view));
      for (const field of hidden) assert.ok(!(field in view), field);
      assert.ok(!JSON.stringify(view).includes("canary"));
      return view;
    },
    async [Symbol.asyncDispose]() {
      await link[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

test("a session shows what it is of and where it runs, and nothing of its texts", async () => {
  await using world = await openWorld();
  const { created_at, updated_at, ...view } = await world.view();
  assert.equal(created_at, updated_at);
  assert.deepEqual(view, {
    session_id: "sess-1",
    workflow_id: "session-sess-1",
    task_queue: "somagent.session.workflows",
    tenant: "tenant-demo",
    user: "user-demo",
    status: "starting",
    model: "small",
    labels: ["a"],
    capsule: "writer",
    last_seq: 1,
    actions: ["pause", "cancel", "terminate"],
  });
});

test("what it waits for is shown, the recorded outage first, then Temporal, and nothing once it has ended", async () => {
  await using world = await openWorld();
  const { ledger, seen, row } = world;
  const blocked = async () => {
    const { blocked_on, blocked_code } = await world.view();
    return [blocked_on, blocked_code];
  };
  assert.deepEqual(await blocked(), [undefined, undefined]);
  seen.temporalIsUp = false;
  assert.deepEqual(await blocked(), ["temporal", "TEMPORAL_UNAVAILABLE"]);
  const subject = { tenant: row.tenant, session_id: row.session_id };
  await ledger.append([unavailableEvent(subject, "outage-1")]);
  assert.deepEqual(await blocked(), ["slm", "MODEL_UNAVAILABLE"]);
  seen.temporalIsUp = true;
  assert.deepEqual(await blocked(), ["slm", "MODEL_UNAVAILABLE"]);
  await ledger.append([recoveredEvent(subject, "outage-1/over")]);
  seen.temporalIsUp = false;
  assert.deepEqual(await blocked(), ["temporal", "TEMPORAL_UNAVAILABLE"]);
  await ledger.append([{ ...eventContext(row), type: "session.canceled", key: "session.end", data: {} }]);
  assert.deepEqual(await blocked(), [undefined, undefined]);
});

test("the result's text comes from the content store, and only once the session is completed", async () => {
  await using world = await openWorld();
  const { ledger, row } = world;
  const subject = { tenant: row.tenant, session_id: row.session_id };
  const events = stepEvents(subject, "completion-1", "Größe 🙂");
  for (const event of events) Object.assign(event, { user: row.user });
  await ledger.append(events, [newContent(row, "text/plain", "Größe 🙂")]);
  assert.equal((await world.view()).result, undefined);
  await ledger.append([completedEvent(subject, "Größe 🙂")]);
  const { result, status, decision } = await world.view();
  assert.equal(status, "completed");
  assert.deepEqual(result, {
    text: "Größe 🙂",
    text_digest: sha256("Größe 🙂"),
    model: "small",
    finish_reason: "stop",
    usage,
  });
  assert.deepEqual(decision, {
    decision_id: "decision-completion-1",
    allowed: true,
    score: 0.25,
    severity: "low",
    reasons: ["within limits"],
    policy_version: "v1",
  });
});

test("a text that is gone is an error and never an invented one", async () => {
  await using world = await openWorld();
  const { ledger, row } = world;
  const subject = { tenant: row.tenant, session_id: row.session_id };
  await ledger.append([...stepEvents(subject, "completion-1", "gone"), completedEvent(subject, "gone")]);
  await assert.rejects(world.view(), code("INTERNAL"));
});

test("a failure is shown by its code and the code's own words", async () => {
  await using world = await openWorld();
  const data = { code: "MODEL_UNAVAILABLE", step: "completion-1" } as const;
  await world.ledger.append([{ ...eventContext(world.row), type: "session.failed", key: "session.end", data }]);
  const { error, status } = await world.view();
  assert.equal(status, "failed");
  assert.deepEqual(error, { code: "MODEL_UNAVAILABLE", detail: "The model gave no answer." });
});
