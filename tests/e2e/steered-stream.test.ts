import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { Delta } from "@soma/contracts/session-stream";
import { apiOf } from "../harness/api.ts";
import { personAt } from "../harness/conversation.ts";
import { readStream } from "../harness/event-stream.ts";
import { Held } from "../harness/held-stream.ts";
import { startOrchestrator } from "../harness/orchestrator-process.ts";
import { startServiceProcess } from "../harness/service-process.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { freePort } from "../harness/temporal-process.ts";

test("a conversation with an approval, followed through the gateway; the API is killed in the middle of an answer, and the stream goes on", async (t) => {
  const stack = stackUnderTest();
  const folder = mkdtempSync(join(tmpdir(), "soma-steered-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  // A port of its own, so that the gateway finds the next API where the last one was.
  const port = String(await freePort());
  const env = {
    PORT: port,
    AUTH_MODE: "required",
    REQUIRE_GATEWAY: "true",
    GATEWAY_PUBLIC_KEY_FILE: join(folder, "keys/hop-key.pub"),
  };
  let api = await startOrchestrator(t, { entry: "main-api", env });
  const { taskQueue, dataDir } = api;
  const startApi = () =>
    startOrchestrator(t, { entry: "main-api", dataDir, env: { ...env, TEMPORAL_TASK_QUEUE: taskQueue } });
  await startOrchestrator(t, { entry: "main-worker", args: ["--task-queue", taskQueue], dataDir });
  const gateway = await startServiceProcess(t, {
    name: "gateway",
    file: "services/gateway/src/main.ts",
    env: {
      DATA_DIR: folder,
      ORCHESTRATOR_URL: api.url,
      IDENTITY_SERVICE_URL: stack.urls["identity-service"],
      IDENTITY_CREDENTIAL_FILE: join(dirname(stack.credentialFile), "gateway"),
    },
  });
  const door = apiOf(gateway.url);
  const operator = await personAt(door, "tenant-demo", "user-demo");
  const approver = await personAt(door, "tenant-demo", "approver-demo");
  const id = await operator.start("Say hello.", { mode: "interactive" });

  const held = new Held();
  let killed = false;
  const types = (): string[] => held.events.map(({ type }) => type);
  /** One connection after the other, until the session's end. */
  const reading = (async () => {
    while (!types().includes("session.completed")) {
      const { query, headers } = held.from();
      try {
        for await (const frame of readStream(`${gateway.url}/v1/sessions/${id}/events${query}`, {
          ...operator.headers,
          ...headers,
        })) {
          if (frame.event !== "delta") held.takeEvent(frame);
          else {
            const delta: Delta = JSON.parse(frame.data);
            held.takeDelta(delta);
            if (delta.step !== "completion-2" || killed) continue;
            killed = true;
            api.child.kill("SIGKILL");
            api = await startApi();
          }
        }
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        // Nobody answers between two APIs.
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  })();

  await operator.reached(id, "waiting_input", 1);
  const said = await operator.act(id, "message", {
    text: "Write a long story about the release to our customers, with many chapters.",
  });
  assert.equal(said.status, 200, said.text);
  const { approval_id, action_digest, prompt } = await approver.approvalOf(id);
  assert.match(String(prompt), /release to our customers/);
  const given = await approver.act(id, "approve", { approval_id, action_digest });
  assert.equal(given.status, 200, given.text);
  await operator.reached(id, "waiting_input", 2);
  const last = await operator.act(id, "message", { text: "Thank you.", final: true });
  assert.equal(last.status, 200, last.text);
  await operator.reached(id, "completed");
  await reading;

  assert.ok(killed, "no API was killed");
  assert.deepEqual(held.events, await operator.events(id));
  assert.ok(held.deltas >= 3);
  const wanted = ["approval.requested", "approval.granted", "turn.ended", "session.completed"];
  for (const type of wanted) assert.ok(types().includes(type), type);
});
