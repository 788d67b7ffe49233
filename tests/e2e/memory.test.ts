import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import type { AuditEvent } from "@soma/contracts/audit";
import type { ErasureReport } from "@soma/contracts/stop";
import { canonicalJson, digestOf } from "@soma/kit/digest";
import { Client, Connection } from "@temporalio/client";
import { root } from "../../scripts/stack/src/layout.ts";
import { demoSession } from "../harness/api.ts";
import { startFaultProxy, type FaultProxy } from "../harness/fault-proxy.ts";
import { startOrchestrator, type OrchestratorProcess } from "../harness/orchestrator-process.ts";
import { startServiceProcess, type ServiceProcess } from "../harness/service-process.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { memoryTokenOf, tokenOf } from "../harness/tokens.ts";
import { until } from "../harness/until.ts";

const stack = stackUnderTest();
const cleanUps: (() => Promise<void>)[] = [];
const file = { after: (clean: () => Promise<void>) => void cleanUps.unshift(clean) };
const folder = mkdtempSync(join(tmpdir(), "soma-memory-"));

let gateway: ServiceProcess;
let model: FaultProxy;
let orchestrator: OrchestratorProcess;

before(async () => {
  gateway = await startGateway("0");
  model = await startFaultProxy(file, stack.urls.slm);
  orchestrator = await startOrchestrator(file, {
    env: { MEMORY_GATEWAY_URL: gateway.url, SLM_BASE_URL: model.url },
  });
});
after(async () => {
  for (const clean of cleanUps) await clean();
  rmSync(folder, { recursive: true, force: true });
});

function startGateway(port: string): Promise<ServiceProcess> {
  return startServiceProcess(file, {
    name: "memory-gateway",
    file: "services/memory-gateway/src/main.ts",
    env: {
      PORT: port,
      DATA_DIR: join(folder, "memory"),
      IDENTITY_SERVICE_URL: stack.urls["identity-service"],
      IDENTITY_CREDENTIAL_FILE: join(dirname(stack.credentialFile), "memory-gateway"),
      EMBEDDING_BASE_URL: stack.urls.slm,
    },
  });
}

/** Short answers: what is looked at here is what the model was asked. */
function short(question: string, more: Record<string, unknown> = {}) {
  const { prompt: _prompt, ...session } = demoSession("", more);
  return { ...session, messages: [{ role: "user", content: question }], sampling: { max_tokens: 8, temperature: 0 } };
}

const fact = "My dog is called Bolt and he is afraid of thunder.";
const question = "What is the name of my dog?";

async function ask(text: string, who: Record<string, unknown> = {}, at = orchestrator): Promise<readonly AuditEvent[]> {
  const session = short(text, who);
  await at.api.start(session);
  const ended = await at.api.ended(session.metadata.session_id, 120_000);
  assert.equal(ended.status, "completed", JSON.stringify(ended));
  return at.api.events(session.metadata.session_id);
}

function one(events: readonly AuditEvent[], type: string, step?: string): AuditEvent["data"] {
  const found = events.filter((event) => event.type === type && (step === undefined || event.data["step"] === step));
  assert.equal(found.length, 1, `${type} ${step ?? ""} in ${events.map((event) => event.type).join(" ")}`);
  return found[0]?.data ?? {};
}

/** What the gateway itself says to a user's own token. */
async function retrieved(tenant: string, user: string, query: string) {
  const answer = await fetch(`${gateway.url}/v1/rag/retrieve`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${await memoryTokenOf(tenant, user)}` },
    body: JSON.stringify({ query, top_k: 5 }),
  });
  const body: { passages: { key: string; text: string; score: number }[] } = JSON.parse(await answer.text());
  return body.passages;
}

/** The messages of the model's last request. */
function lastAsked(): { role: string; content: string }[] {
  const { body } = model.bodies.findLast(({ path }) => path === "/v1/chat/completions") ?? { body: "{}" };
  const { messages }: { messages: { role: string; content: string }[] } = JSON.parse(body);
  return messages;
}

test("what was told in one session is recalled in another of the same user, and stands before the question", async () => {
  const told = await ask(fact);
  assert.equal(one(told, "memory.recalled")["passages"], 0);
  assert.equal(lastAsked().length, 1, "there was nothing to recall yet");
  const remembered = one(told, "memory.remembered");
  assert.match(String(remembered["key"]), /^session:sess-.*:turn:1$/);
  const steps = told.flatMap(({ type, data }) => (type === "effect.intended" ? [String(data["step"])] : []));
  assert.deepEqual(steps, ["recall-1", "completion-1", "remember-1"]);

  // Asked of the gateway before the second session adds its own.
  const found = await retrieved("tenant-demo", "user-demo", question);
  const asked = await ask(question);
  const recalled = one(asked, "memory.recalled");
  assert.ok(Number(recalled["passages"]) > 0);
  const chosen = found.slice(0, Number(recalled["passages"]));
  assert.ok(chosen[0]?.text.includes(fact), JSON.stringify(found));
  // The chain: the passages have the digest that the event names, and the permit of the completion is for that digest.
  const content = canonicalJson({ passages: chosen });
  assert.equal(recalled["result_digest"], `sha256:${createHash("sha256").update(content).digest("hex")}`);
  const created = one(asked, "session.created");
  const action = {
    action: "model.complete",
    resource: "model:default",
    arguments: {
      prompt_digest: created["prompt_digest"],
      prompt_format: "chat",
      memory_digest: recalled["result_digest"],
    },
  };
  assert.equal(one(asked, "effect.intended", "completion-1")["action_digest"], digestOf(action));

  const messages = lastAsked();
  assert.deepEqual(
    messages.map(({ role }) => role),
    ["user", "user"],
    "memory is never system text",
  );
  assert.ok(messages[0]?.content.includes(fact));
  assert.match(String(messages[0]?.content), /reference only/);
  assert.ok(String(messages[0]?.content).length < 2_700);
  assert.equal(messages[1]?.content, question);
  const tokens = asked.filter(({ type, data }) => type === "token.issued" && String(data["step"]).startsWith("re"));
  assert.deepEqual(
    tokens.map(({ data }) => [data["audience"], data["scopes"]]),
    [
      ["somagent-memory", ["memory.recall", "model.embed"]],
      ["somagent-memory", ["memory.remember", "model.embed"]],
    ],
  );
  const texts = JSON.stringify(asked);
  assert.equal(texts.includes("Bolt"), false, "the ledger holds digests");
});

test("a session with memory costs 30 history events", async () => {
  const session = short(question, { user: "admin-demo" });
  const { workflow_id } = await orchestrator.api.start(session);
  await orchestrator.api.ended(session.metadata.session_id);
  const connection = await Connection.connect({ address: stack.urls.temporal });
  try {
    const handle = new Client({ connection }).workflow.getHandle(workflow_id);
    const description = await until("the workflow has ended", async () => {
      const now = await handle.describe();
      return now.status.name === "COMPLETED" ? now : undefined;
    });
    assert.equal(description.historyLength, 30);
  } finally {
    await connection.close();
  }
});

test("nobody else's session recalls it: not another user's, not another tenant's", async () => {
  for (const who of [{ user: "admin-demo" }, { tenant: "tenant-acme", user: "user-acme" }]) {
    const events = await ask(question, who);
    assert.ok(events.some(({ type }) => type === "memory.recalled"));
    assert.equal(JSON.stringify(lastAsked()).includes("Bolt"), false, JSON.stringify(who));
  }
});

test("a right to memory that is missing ends no session: it is recorded, and the next step is judged for itself", async () => {
  const session = short(question, { user: "approver-demo" });
  await orchestrator.api.start(session);
  const ended = await orchestrator.api.ended(session.metadata.session_id);
  // An approver may not use models either.
  assert.deepEqual([ended.status, ended.error?.code], ["failed", "IDENTITY_DENIED"]);
  const events = await orchestrator.api.events(session.metadata.session_id);
  assert.deepEqual(one(events, "memory.skipped"), { step: "recall-1", code: "IDENTITY_DENIED" });
  assert.equal(one(events, "policy.decided", "completion-1")["allowed"], true);
});

test("a conversation recalls and remembers with each turn", async () => {
  const session = short(question, { mode: "interactive" });
  const id = session.metadata.session_id;
  await orchestrator.api.start(session);
  const turn = (number: number) =>
    until(`turn ${String(number)} is answered`, async () => {
      const view = await orchestrator.api.view(id);
      return view.status === "waiting_input" && view.turn === number ? view : undefined;
    });
  await turn(1);
  const said = await orchestrator.api.request("POST", `/v1/sessions/${id}/actions/message`, {
    body: { text: "And what is he afraid of?" },
  });
  assert.equal(said.status, 200, said.text);
  await turn(2);
  const events = await orchestrator.api.events(id);
  const steps = events.flatMap(({ type, data }) => (type.startsWith("memory.") ? [String(data["step"])] : []));
  assert.deepEqual(steps, ["recall-1", "remember-1", "recall-2", "remember-2"]);
  const keys = events.flatMap(({ type, data }) => (type === "memory.remembered" ? [String(data["key"])] : []));
  assert.deepEqual(keys, [`session:${id}:turn:1`, `session:${id}:turn:2`]);
  // Notes are no part of the conversation: turn 2 has those of its own, and none of turn 1.
  assert.equal(lastAsked().filter(({ content }) => content.includes("--- notes")).length, 1);
  assert.equal(lastAsked().at(-1)?.content, "And what is he afraid of?");
});

test("a memory gateway that is away: the session goes on and is marked; it is back in memory with the gateway", async () => {
  const { port } = new URL(gateway.url);
  gateway.child.kill("SIGKILL");
  const events = await ask(question);
  const skipped = events
    .filter(({ type }) => type === "memory.skipped")
    .map(({ data }) => [data["step"], data["code"]]);
  assert.deepEqual(skipped, [
    ["recall-1", "MEMORY_UNAVAILABLE"],
    ["remember-1", "MEMORY_UNAVAILABLE"],
  ]);
  const failed = events.filter(({ type }) => type === "effect.failed").map(({ data }) => data["step"]);
  assert.deepEqual(failed, ["recall-1", "remember-1"]);
  assert.equal(
    events.some(({ type }) => type === "dependency.unavailable"),
    false,
    "it waited for nothing",
  );
  assert.equal(lastAsked().length, 1);
  gateway = await startGateway(port);
  const back = await ask(question);
  assert.ok(Number(one(back, "memory.recalled")["passages"]) > 0, "memory outlives its process");
});

test("where policy says to wait, the session is blocked on the memory gateway, and goes on when it is back", async () => {
  const packs = join(folder, "policy");
  cpSync(join(root, "infra/policy"), packs, { recursive: true });
  const pack = join(packs, "tenant-demo.yaml");
  const rule = "obligations:\n  - actions: [memory.recall, memory.remember]\n    memory_unavailable: wait\n";
  writeFileSync(pack, readFileSync(pack, "utf8").replace("obligations:\n", rule));
  appendFileSync(pack, "\n");
  const policy = await startServiceProcess(file, {
    name: "policy-engine",
    file: "services/policy-engine/src/main.ts",
    env: { POLICY_DIR: packs },
  });
  const strict = await startOrchestrator(file, {
    env: { MEMORY_GATEWAY_URL: gateway.url, POLICY_ENGINE_URL: policy.url, SLM_BASE_URL: model.url },
  });
  const { port } = new URL(gateway.url);
  gateway.child.kill("SIGKILL");
  const session = short(question);
  const id = session.metadata.session_id;
  await strict.api.start(session);
  const blocked = await until("the session is blocked", async () => {
    const view = await strict.api.view(id);
    return view.blocked_on === undefined ? undefined : view;
  });
  assert.deepEqual([blocked.status, blocked.blocked_on], ["running", "memory-gateway"]);
  assert.equal(
    (await strict.api.events(id)).some(({ type }) => type === "effect.completed"),
    false,
  );
  gateway = await startGateway(port);
  const ended = await strict.api.ended(id, 60_000);
  assert.equal(ended.status, "completed", JSON.stringify(ended));
  const events = await strict.api.events(id);
  const types = events.map(({ type }) => type);
  assert.equal(types.includes("memory.skipped"), false);
  assert.equal(types.filter((type) => type === "dependency.unavailable").length, 1);
  assert.equal(types.filter((type) => type === "dependency.recovered").length, 1);
  assert.ok(Number(one(events, "memory.recalled")["passages"]) > 0);
  assert.equal(types.filter((type) => type === "memory.remembered").length, 1);
});

test("who is erased is forgotten by the memory, too", async () => {
  const told = await ask(fact);
  assert.equal(one(told, "memory.remembered")["step"], "remember-1");
  const authorization = `Bearer ${await tokenOf("tenant-demo", "admin-demo")}`;
  const erased = await orchestrator.api.request<ErasureReport>("POST", "/v1/erasures", {
    body: { user: "user-demo" },
    headers: { authorization },
  });
  assert.deepEqual([erased.status, erased.body.memory], [200, "erased"], erased.text);
  assert.deepEqual(await retrieved("tenant-demo", "user-demo", question), []);
});
