import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { AuditEvent } from "@soma/contracts/audit";
import { demoSession } from "../harness/api.ts";
import { personAt, type Person } from "../harness/conversation.ts";
import { openDoor } from "../harness/door.ts";
import { startFaultProxy, type FaultProxy } from "../harness/fault-proxy.ts";
import { startOrchestrator } from "../harness/orchestrator-process.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { until } from "../harness/until.ts";

const examplePrices = fileURLToPath(new URL("../../docs/user-manual/model-prices.example.yaml", import.meta.url));
const cleanUps: (() => Promise<void>)[] = [];
let policy: FaultProxy;
let model: FaultProxy;
let operator: Person;
let approver: Person;

before(async () => {
  const owner = { after: (clean: () => Promise<void>) => void cleanUps.unshift(clean) };
  policy = await startFaultProxy(owner, stackUnderTest().urls["policy-engine"]);
  model = await startFaultProxy(owner, stackUnderTest().urls.slm);
  const { api } = await openDoor(owner, {
    orchestrator: { POLICY_ENGINE_URL: policy.url, SLM_BASE_URL: model.url, MODEL_MAX_OUTPUT_TOKENS: "48" },
  });
  operator = await personAt(api, "tenant-demo", "user-demo");
  approver = await personAt(api, "tenant-demo", "approver-demo");
});
after(async () => {
  for (const clean of cleanUps) await clean();
});

const prompt = "Count to three.";
/** Bytes of the message and of its role, the two frames, and what the model may write: docs/user-manual/budgets.md. */
const worst = 256 + 16 + "user".length + prompt.length + 48;
const of = (events: readonly AuditEvent[], type: string): AuditEvent[] => events.filter((event) => event.type === type);
const tokensOf = (event: AuditEvent | undefined): unknown => Object(event?.data["usage"])["total_tokens"];

test("a session that runs out of budget waits, is extended by the approver, and goes on to its end", async () => {
  const id = await operator.start(prompt, { budget: { tokens: worst - 2, steps: 5 } });
  const waiting = await operator.reached(id, "waiting_budget");
  assert.deepEqual(waiting.budget, {
    limit: { tokens: worst - 2, steps: 5 },
    spent: { tokens: 0, cost_micros: 0, steps: 0 },
    reserved: { tokens: 0, cost_micros: 0 },
  });
  assert.ok(waiting.actions?.includes("extend-budget"));
  const own = await operator.act(id, "extend-budget", { tokens: 1_000 });
  assert.equal(own.status, 403, "who runs a session does not raise its bounds");
  assert.equal((await approver.act(id, "extend-budget", { tokens: 1 })).status, 200);
  // One token is missing still: decided anew, refused anew.
  await until("the second round is refused, too", async () =>
    of(await operator.events(id), "budget.exhausted").length === 2 ? true : undefined,
  );
  assert.equal((await operator.view(id)).status, "waiting_budget");
  const enough = await approver.act(id, "extend-budget", { tokens: 1 });
  assert.equal(enough.status, 200, enough.text);
  const ended = await operator.reached(id, "completed");
  const events = await operator.events(id);
  assert.deepEqual(
    of(events, "budget.exhausted").map(({ data }) => [data["dimension"], data["limit"], data["used"], data["needed"]]),
    [
      ["tokens", worst - 2, 0, worst],
      ["tokens", worst - 1, 0, worst],
    ],
  );
  assert.deepEqual(
    of(events, "budget.extended").map(({ data }) => [data["by"], Object(data["limit"])["tokens"]]),
    [
      ["approver-demo", worst - 1],
      ["approver-demo", worst],
    ],
  );
  const [intended, ...more] = of(events, "effect.intended");
  assert.deepEqual([intended?.data["reserved"], more.length], [{ tokens: worst, cost_micros: 0 }, 0]);
  const used = Number(tokensOf(of(events, "effect.completed")[0]));
  // The real tokenizer's count, against what bytes and frames bounded it to.
  assert.ok(used > 0 && used <= worst, `${String(used)} of ${String(worst)} tokens`);
  assert.deepEqual(ended.budget?.spent, { tokens: used, cost_micros: 0, steps: 1 });
  assert.deepEqual(ended.budget.reserved, { tokens: 0, cost_micros: 0 });
});

test("the answer of a bounded session is cut at the cap that was set aside", async () => {
  const id = await operator.start("Write a long story about a lighthouse keeper.", { budget: { tokens: 5_000 } });
  const { result } = await operator.reached(id, "completed");
  assert.ok((result?.usage.completion_tokens ?? 99) <= 48, JSON.stringify(result?.usage));
});

test("where policy says so, a session without budget ends instead of waiting", async () => {
  policy.fault = {
    kind: "edit",
    edit: (body) =>
      Array.isArray(body["obligations"]) && body["obligations"].length > 0
        ? { ...body, obligations: [{ kind: "out_of_budget", choice: "end" }] }
        : body,
  };
  try {
    const id = await operator.start(prompt, { budget: { tokens: 10 } });
    const { error } = await operator.reached(id, "failed");
    assert.equal(error?.code, "BUDGET_EXCEEDED");
    const events = await operator.events(id);
    assert.equal(of(events, "budget.exhausted").length, 1);
    assert.equal(of(events, "effect.intended").length, 0);
  } finally {
    policy.fault = { kind: "pass" };
  }
});

test("a running call ends with wall_seconds, and with more of them it is made again, counted once", async () => {
  model.fault = { kind: "slow", ms: 20_000 };
  const id = await operator.start(prompt, { budget: { wall_seconds: 3, tokens: worst } });
  await operator.reached(id, "waiting_budget");
  model.fault = { kind: "pass" };
  const [told] = of(await operator.events(id), "budget.exhausted");
  assert.equal(told?.data["dimension"], "wall_seconds");
  assert.equal((await approver.act(id, "extend-budget", { wall_seconds: 600 })).status, 200);
  const { budget } = await operator.reached(id, "completed");
  const [completed] = of(await operator.events(id), "effect.completed");
  assert.deepEqual(budget?.spent, { tokens: tokensOf(completed), cost_micros: 0, steps: 1 });
});

test("a conversation out of budget waits within its turn; extended, it answers, and what it was given is in the worst case", async () => {
  const id = await operator.start(prompt, { mode: "interactive", budget: { tokens: worst } });
  const { result } = await operator.reached(id, "waiting_input", 1);
  const answer = Buffer.byteLength(result?.text ?? "");
  const text = "And back to one.";
  assert.equal((await operator.act(id, "message", { text, final: true })).status, 200);
  await operator.reached(id, "waiting_budget", 2);
  assert.equal((await approver.act(id, "extend-budget", { tokens: 10_000 })).status, 200);
  const { budget } = await operator.reached(id, "completed");
  const events = await operator.events(id);
  const reserved = of(events, "effect.intended").map(({ data }) => Object(data["reserved"])["tokens"]);
  // The second call has the first message and its answer before it.
  const second = worst + 2 * 16 + "assistant".length + answer + "user".length + text.length;
  assert.deepEqual(reserved, [worst, second]);
  const used = of(events, "effect.completed").map((event) => Number(tokensOf(event)));
  assert.ok(
    used.every((tokens, index) => tokens > 0 && tokens <= Number(reserved[index])),
    `${used.join()} of ${reserved.join()}`,
  );
  assert.deepEqual(budget?.spent, { tokens: used.reduce((sum, one) => sum + one), cost_micros: 0, steps: 2 });
});

test("without prices a bound of money is refused at the start, with what to do, and nothing starts", async () => {
  const { api } = await startOrchestrator({ after: (clean) => void cleanUps.unshift(clean) }, { entry: "main-api" });
  const session = demoSession(prompt, { budget: { cost_micros: 1_000 } });
  const refused = await api.request("POST", "/v1/sessions", { body: session });
  assert.deepEqual([refused.status, refused.body.code], [422, "PRICE_UNKNOWN"]);
  assert.match(refused.body.detail ?? "", /MODEL_PRICES_FILE/);
  assert.equal(
    (await api.request("GET", `/v1/sessions/${session.metadata.session_id}?tenant=tenant-demo`)).status,
    404,
  );
});

test("a worker killed between reserve and settle: the effect is there once and paid once, by the price of its intent", async (context) => {
  const slow = await startFaultProxy(context, stackUnderTest().urls.slm);
  slow.fault = { kind: "slow", ms: 9_000 };
  const env = { MODEL_PRICES_FILE: examplePrices, MODEL_MAX_OUTPUT_TOKENS: "48" };
  const { api, taskQueue, dataDir } = await startOrchestrator(context, { entry: "main-api", env });
  const worker = {
    entry: "main-worker",
    args: ["--task-queue", taskQueue],
    dataDir,
    env: { ...env, SLM_BASE_URL: slow.url },
  } as const;
  const first = await startOrchestrator(context, worker);
  // Room for one worst case and no more: one that leaked would leave the retry without budget.
  const cost_micros = (worst - 48) * 1 + 48 * 2;
  const session = demoSession(prompt, { budget: { tokens: worst, cost_micros, steps: 1 } });
  const id = session.metadata.session_id;
  await api.start(session);
  await until("the model is called", () => (slow.seen.length > 0 ? true : undefined));
  const { budget: during } = await api.view(id);
  assert.deepEqual(during?.reserved, { tokens: worst, cost_micros });
  first.child.kill("SIGKILL");
  slow.fault = { kind: "pass" };
  await startOrchestrator(context, worker);
  const ended = await api.ended(id, 60_000);
  assert.equal(ended.status, "completed", JSON.stringify(ended.error));
  const events = await api.events(id);
  const [intended, ...others] = of(events, "effect.intended");
  const [completed, ...twice] = of(events, "effect.completed");
  assert.deepEqual([others.length, twice.length], [0, 0]);
  const price = Object(intended?.data["price"]);
  assert.deepEqual([price["currency"], price["input_micros_per_million"]], ["EUR", 1_000_000]);
  assert.match(String(price["prices_digest"]), /^sha256:[0-9a-f]{64}$/);
  const { prompt_tokens, completion_tokens } = ended.result?.usage ?? { prompt_tokens: 0, completion_tokens: 0 };
  const cost = prompt_tokens + 2 * completion_tokens;
  assert.equal(completed?.data["cost_micros"], cost);
  assert.deepEqual(ended.budget?.spent, { tokens: tokensOf(completed), cost_micros: cost, steps: 1 });
  assert.deepEqual(ended.budget.reserved, { tokens: 0, cost_micros: 0 });
});
