import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, test } from "node:test";
import { Counter, Registry } from "../src/metrics.ts";
import { RetryBudget } from "../src/retry-budget.ts";
import { CallShedError, UpstreamGuard, type ShedReason } from "../src/upstream-guard.ts";
import { Upstream, UpstreamError } from "../src/upstream.ts";
import { cut, json, startScriptedServer, type Answer } from "./scripted-server.ts";

const shedBy = (reason: ShedReason) => (error: unknown) => error instanceof CallShedError && error.reason === reason;

const judge = (error: unknown): "fault" | "answer" | "nothing" => {
  if (error instanceof UpstreamError) return "fault";
  return error instanceof TypeError ? "answer" : "nothing";
};

/** A guard before a real client of a server that answers by a script. */
async function guarded(script: readonly Answer[], options: { openForMs?: number; budget?: RetryBudget } = {}) {
  const registry = new Registry();
  const labelNames = ["dependency", "reason"] as const;
  const shed = new Counter({ name: "shed", help: "shed", labelNames, registers: [registry] });
  const server = await startScriptedServer(...script);
  const upstream = new Upstream({ name: "engine", origin: server.url.origin, deadlineMs: 1_000 });
  const guard = new UpstreamGuard({ name: "engine", judge, shed, faultsToOpen: 3, ...options });
  return {
    server,
    registry,
    guard,
    call: (retry = false) => guard.run(() => upstream.getJson("/"), { retry }),
    async [Symbol.asyncDispose]() {
      await upstream.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

const ok = json(200, {});
const rejectsWith = (error: Error) => async (): Promise<never> => {
  throw error;
};

describe("the circuit breaker of an upstream", () => {
  test("opens after faults in a row, spares the upstream, and closes with the first answer", async () => {
    await using world = await guarded([cut, cut, cut, ok, ok, ok], { openForMs: 200 });
    const { call, server, registry } = world;
    for (let fault = 0; fault < 3; fault += 1) await assert.rejects(call(), UpstreamError);
    for (let tries = 0; tries < 5; tries += 1) await assert.rejects(call(), shedBy("circuit_open"));
    assert.equal(server.seen.length, 3, "it was called while the circuit was open");
    await sleep(250);
    for (let answer = 0; answer < 3; answer += 1) assert.equal((await call()).status, 200);
    assert.match(await registry.metrics(), /shed\{dependency="engine",reason="circuit_open"\} 5\n/);
  });

  test("stays open when the call that was let through fails", async () => {
    await using world = await guarded([cut, cut, cut, cut, ok], { openForMs: 100 });
    const { call, server } = world;
    for (let fault = 0; fault < 3; fault += 1) await assert.rejects(call(), UpstreamError);
    await sleep(150);
    await assert.rejects(call(), UpstreamError);
    await assert.rejects(call(), shedBy("circuit_open"));
    assert.equal(server.seen.length, 4);
    await sleep(150);
    assert.equal((await call()).status, 200);
  });

  test("stays closed when an answer comes in between, and for errors that are the caller's", async () => {
    await using world = await guarded([cut, cut, ok, cut, cut, ok]);
    const { call, guard } = world;
    for (const fails of [true, true, false, true, true]) {
      const answer = call();
      await (fails ? assert.rejects(answer, UpstreamError) : answer);
    }
    for (let tries = 0; tries < 10; tries += 1)
      await assert.rejects(guard.run(rejectsWith(new TypeError("the caller's")), { retry: false }), TypeError);
    assert.equal((await call()).status, 200);
  });

  test("a refusal between faults begins the count anew, a call that was given up does not", async () => {
    const refused = rejectsWith(new TypeError("refused"));
    const canceled = rejectsWith(new DOMException("canceled", "AbortError"));
    await using world = await guarded([cut, cut, cut, cut, cut]);
    const { call, guard } = world;
    for (let fault = 0; fault < 2; fault += 1) await assert.rejects(call(), UpstreamError);
    await assert.rejects(guard.run(refused, { retry: false }), TypeError);
    for (let fault = 0; fault < 2; fault += 1) await assert.rejects(call(), UpstreamError);
    await assert.rejects(guard.run(canceled, { retry: false }), { name: "AbortError" });
    await assert.rejects(call(), UpstreamError);
    await assert.rejects(call(), shedBy("circuit_open"));
  });

  test("a refusal closes it: whoever refuses is there", async () => {
    await using world = await guarded([cut, cut, cut, cut, cut, ok], { openForMs: 100 });
    const { call, guard } = world;
    for (let fault = 0; fault < 3; fault += 1) await assert.rejects(call(), UpstreamError);
    await sleep(150);
    await assert.rejects(guard.run(rejectsWith(new TypeError("refused")), { retry: false }), TypeError);
    for (let fault = 0; fault < 2; fault += 1) await assert.rejects(call(), UpstreamError);
    assert.equal((await call()).status, 200);
  });

  test("a call that was given up while the circuit was being tried does not hold it", async () => {
    await using world = await guarded([cut, cut, cut, ok], { openForMs: 100 });
    const { call, guard } = world;
    for (let fault = 0; fault < 3; fault += 1) await assert.rejects(call(), UpstreamError);
    await sleep(150);
    const canceled = rejectsWith(new DOMException("canceled", "AbortError"));
    await assert.rejects(guard.run(canceled, { retry: false }), { name: "AbortError" });
    await sleep(150);
    assert.equal((await call()).status, 200);
  });
});

describe("the retry budget of an upstream", () => {
  test("is full at first, is refilled with time and with answers, and never above its cap", () => {
    let now = 0;
    const budget = new RetryBudget({ perSecond: 10, perSuccess: 2, cap: 5, clock: () => now });
    assert.equal(takeAll(budget), 5);
    now += 300;
    assert.equal(takeAll(budget), 3);
    budget.answered();
    assert.equal(takeAll(budget), 2);
    now += 3_600_000;
    budget.answered();
    assert.equal(takeAll(budget), 5);
  });

  test("holds retries back and lets first tries pass", async () => {
    const now = 0;
    const budget = new RetryBudget({ perSecond: 10, perSuccess: 0, cap: 2, clock: () => now });
    await using world = await guarded([ok, ok, ok, ok], { budget });
    const { call, server } = world;
    await call(true);
    await call(true);
    await assert.rejects(call(true), shedBy("retry_budget"));
    await call(false);
    await call(false);
    assert.equal(server.seen.length, 4);
  });
});

function takeAll(budget: RetryBudget): number {
  let taken = 0;
  while (budget.take()) taken += 1;
  return taken;
}
