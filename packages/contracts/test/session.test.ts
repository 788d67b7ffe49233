import assert from "node:assert/strict";
import { test } from "node:test";
import { Value } from "typebox/value";
import { isTerminal, sessionStatuses, StartSessionRequest, terminalStatuses } from "../src/session.ts";

test("a session leaves no terminal status, and can leave any other", () => {
  const terminal = sessionStatuses.filter((status) => isTerminal(status));
  assert.deepEqual(terminal, ["completed", "denied", "failed", "canceled", "timed_out"]);
  assert.deepEqual([...terminalStatuses], terminal);
});

test("the smoke test's body fits, and so do the aliases", () => {
  for (const body of [
    { tenant: "tenant-demo", user: "user-demo", prompt: "kick off a demo", metadata: { session_id: "sess-local" } },
    { tenant_id: "tenant-demo", user_id: "user-demo", prompt: "x" },
    { prompt: "x", model: "org/model:7b-instruct_q4.0" },
    { prompt: "x", metadata: {} },
    { messages: [{ role: "user", content: "x" }], sampling: { max_tokens: 1, stop: ["."] } },
  ])
    assert.ok(Value.Check(StartSessionRequest, body), JSON.stringify(body));
});

const bad: readonly unknown[] = [
  undefined,
  null,
  [],
  "x",
  { prompt: "" },
  { messages: [] },
  { messages: [{ role: "tool", content: "x" }] },
  { messages: [{ role: "user", content: "x", name: "y" }] },
  { messages: Array.from({ length: 65 }, () => ({ role: "user", content: "x" })) },
  { messages: [{ role: "user", content: "x" }], sampling: { n: 2 } },
  { prompt: 1 },
  { prompt: null },
  { prompt: "x".repeat(102_401) },
  { prompt: "x", promt: "x" },
  { prompt: "x", tenant: "a/b" },
  { prompt: "x", tenant: "" },
  { prompt: "x", tenant: null },
  { prompt: "x", user: " " },
  { prompt: "x", model: "" },
  { prompt: "x", model: "../model" },
  { prompt: "x", model: "a b" },
  { prompt: "x", model: "m".repeat(129) },
  { prompt: "x", metadata: [] },
  { prompt: "x", metadata: "x" },
  { prompt: "x", metadata: null },
];

test("what is not a start request is refused", () => {
  for (const body of bad) assert.ok(!Value.Check(StartSessionRequest, body), JSON.stringify(body)?.slice(0, 80));
});
