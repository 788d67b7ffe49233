import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cause } from "@soma/contracts/diagnosis";
import type { ErasureReport, StopReport } from "@soma/contracts/stop";
import { capabilities } from "@soma/contracts/wire-names";
import { sha256 } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import { verify } from "../../../../scripts/soma-verify.ts";
import { startStack, type RunningStack } from "../../../../scripts/stack/src/start-stack.ts";
import { eventContext } from "../../src/activities/step-events.ts";
import { newContent } from "../../src/ledger/content.ts";
import type { SessionRow } from "../../src/ledger/session-row.ts";
import { readSessionInput } from "../../src/sessions/session-input.ts";
import { foundTenant } from "../../src/tenants/found-tenant.ts";
import { verifyInPython } from "../ledger/python-verifier.ts";
import { demoSession, eventsOf, eventTypes, openSession, readRow } from "../harness/sessions.ts";
import { code } from "../ledger/refusal.ts";
import { completedEvent, stepEvents } from "../ledger/sample-events.ts";
import { openTenantApp, startNeighbours, type Neighbours, type TenantApp } from "../tenants/tenant-app.ts";

/** A session of user-demo that has completed with an answer, as the workflow leaves it. */
async function completed({ ledger }: TenantApp, session_id: string, answer: string): Promise<SessionRow> {
  const row = await openSession(ledger, { session_id });
  const events = [...stepEvents(row, "completion-1", answer), completedEvent(row, answer)];
  await ledger.append(eventsOf(row, events), [newContent(row, "text/plain", answer)]);
  return row;
}

async function erase(world: TenantApp, body: object = { user: "user-demo" }, headers: Record<string, string> = {}) {
  const admin = await world.login("tenant-demo", "admin-demo", ["subject.erase", "session.read", "ledger.read"]);
  const answer = await world.send(admin, "POST", "/v1/erasures", body, headers);
  const report: ErasureReport & { code?: string } = answer.json();
  return { admin, status: answer.statusCode, report };
}

const isReadable = (world: TenantApp, text: string): Promise<boolean> =>
  world.ledger.readContent({ tenant: "tenant-demo", user: "user-demo", digest: sha256(text) }).then(
    (bytes) => bytes !== undefined,
    (error: unknown) => {
      if (error instanceof DomainError && error.code === "CONTENT_ERASED") return false;
      throw error;
    },
  );

/** A session whose workflow runs, as far as a workflow without a worker does. */
async function started(world: TenantApp, session_id: string): Promise<SessionRow> {
  const row = await openSession(world.ledger, { session_id });
  // The link connects in the background.
  for (let tries = 1; ; tries += 1) {
    try {
      await world.deps.workflows.start(readSessionInput({ ...demoSession, session_id }));
      return row;
    } catch (error) {
      if (tries > 100 || !(error instanceof DomainError)) throw error;
      await sleep(50);
    }
  }
}
const unique = (name: string): string => `${name}-${String(process.pid)}-${String(Date.now())}`;

describe("erasure and stops, on a real Temporal where nobody works", () => {
  let neighbours: Neighbours;
  let stack: RunningStack;
  before(async () => {
    neighbours = await startNeighbours();
    stack = await startStack({ name: `test-erasures-${String(process.pid)}`, parts: ["temporal"] });
  });
  after(async () => {
    await stack.stop();
    rmSync(stack.runDir, { recursive: true, force: true });
    await neighbours[Symbol.asyncDispose]();
  });

  const open = (more: Parameters<typeof openTenantApp>[1] = {}): Promise<TenantApp> =>
    openTenantApp(neighbours, { temporal: stack.url("temporal"), ...more });

  test("a stop that Temporal took tells what has ended, what has not, and where an effect was under way", async () => {
    await using world = await open();
    const { ledger } = world;
    const [waiting, acting] = [await started(world, unique("waiting")), await started(world, unique("acting"))];
    const [decided, intended] = stepEvents(acting, "completion-1");
    assert.ok(decided && intended);
    await ledger.append(eventsOf(acting, [decided, intended]));
    // Its start was given up between the row and the workflow.
    const halfway = await openSession(ledger, { session_id: unique("halfway") });
    const admin = await world.login("tenant-demo", "admin-demo", ["session.stop"]);
    const answer = await world.send(admin, "POST", "/v1/stops", { scope: "user", target: "user-demo", reason: "x" });
    const report: StopReport = answer.json();
    assert.equal(answer.statusCode, 200, answer.body);
    assert.deepEqual(report.stopped, [halfway.session_id]);
    assert.deepEqual(
      report.unknown.toSorted((one, other) => (one.why < other.why ? -1 : 1)),
      [
        { session_id: acting.session_id, why: "effect_under_way" },
        { session_id: waiting.session_id, why: "not_ended_yet" },
      ],
    );
    const state = await world.deps.workflows.describe(waiting.session_id);
    assert.ok(state?.status === "running" && state.cancelRequested);
    assert.deepEqual((await eventTypes(ledger, halfway)).slice(-1), ["session.canceled"]);
  });

  test("an erased user's sessions end for certain, his texts are gone, his ledgers verify, and he can come back", async () => {
    await using world = await open();
    const { ledger } = world;
    const answer = `the answer ${unique("")}`;
    const past = await completed(world, unique("past"), answer);
    const running = await started(world, unique("running"));
    const other = await openSession(ledger, { session_id: unique("other"), user: "somebody-else", prompt: "theirs" });
    const headers = { "idempotency-key": unique("key") };
    const { admin, status, report } = await erase(world, { user: "user-demo", reason: "asked for it" }, headers);
    assert.equal(status, 200, JSON.stringify(report));
    const { erasure_id, ...said } = report;
    assert.deepEqual(said, {
      tenant: "tenant-demo",
      user: "user-demo",
      stopped: 1,
      keys_destroyed: 1,
      memory: "not_configured",
    });
    assert.equal((await world.deps.workflows.describe(running.session_id))?.status, "terminated");
    const ended = await readRow(ledger, running);
    assert.equal(ended.status, "canceled");
    // Whatever its workflow might still bring: nothing is written for him any more.
    const late = eventsOf(running, stepEvents(running, "completion-1", "late words"));
    await assert.rejects(ledger.append(late, [newContent(running, "text/plain", "late words")]), code("SESSION_ENDED"));
    assert.equal(await isReadable(world, answer), false);
    assert.equal(await isReadable(world, demoSession.prompt ?? ""), false);
    const theirs = await ledger.readContent({ ...other, digest: sha256("theirs") });
    assert.ok(theirs);

    const view = await world.send(admin, "GET", `/v1/sessions/${past.session_id}`);
    assert.equal(view.statusCode, 200, view.body);
    assert.deepEqual(
      [view.json().status, view.json().texts_gone, view.json().result],
      ["completed", "erased", undefined],
    );
    const list = await world.send(admin, "GET", "/v1/sessions");
    assert.equal(list.statusCode, 200, list.body);
    assert.equal(list.json().sessions.length, 3);
    for (const { session_id } of [past, running]) {
      const exported = await world.send(admin, "GET", `/v1/sessions/${session_id}/events`);
      assert.deepEqual(verify(exported.body).violations, []);
      assert.deepEqual(verifyInPython([[exported.body]])[0]?.violations, []);
    }
    const own = await world.send(admin, "GET", "/v1/tenants/tenant-demo/events");
    assert.deepEqual(verify(own.body).violations, []);
    assert.deepEqual(verifyInPython([[own.body]])[0]?.violations, []);
    assert.deepEqual(await world.types("tenant-demo"), [
      "tenant.created",
      "subject.erasure_requested",
      "subject.erased",
    ]);

    const again = await erase(world, { user: "user-demo", reason: "asked for it" }, headers);
    assert.deepEqual(again.report, report);
    await completed(world, unique("back"), answer);
    assert.equal(await isReadable(world, answer), true, "a new key, for the same words, too");
    const second = await erase(world);
    assert.equal(second.report.keys_destroyed, 1);
    assert.notEqual(second.report.erasure_id, erasure_id);
  });

  test("a session without a workflow, and one whose queue nobody works on, are diagnosed as what they are", async () => {
    await using world = await open();
    const queued = await started(world, unique("queued"));
    const halfway = await openSession(world.ledger, { session_id: unique("halfway") });
    const admin = await world.login("tenant-demo", "auditor-demo", ["ledger.read"]);
    const causesOf = async ({ session_id }: SessionRow): Promise<Cause[]> => {
      const answer = await world.send(admin, "GET", `/v1/sessions/${session_id}/diagnosis`);
      assert.equal(answer.statusCode, 200, answer.body);
      return answer.json().causes;
    };
    assert.deepEqual(
      (await causesOf(halfway)).map(({ code: said }) => said),
      ["no_workflow"],
    );
    const causes = await causesOf(queued);
    assert.deepEqual(
      causes.map(({ code: said, details }) => [said, details?.["type"]]),
      [
        ["no_worker", "workflow"],
        ["no_worker", "activity"],
      ],
    );
  });

  test("the answer says what came of the memory", async () => {
    const asked: unknown[] = [];
    await using erased = await open({
      eraseMemory: (subject) => {
        asked.push(subject);
        return Promise.resolve();
      },
    });
    assert.equal((await erase(erased)).report.memory, "erased");
    assert.deepEqual(asked, [{ tenant: "tenant-demo", user: "user-demo" }]);
    await using away = await open({
      eraseMemory: () => Promise.reject(new DomainError("MEMORY_UNAVAILABLE", "No answer.")),
    });
    const { status, report } = await erase(away);
    assert.deepEqual([status, report.memory], [200, "unavailable"]);
    const [, , told] = await away.ledger.tenants.readEvents({ tenant: "tenant-demo", after: 0, limit: 9 });
    assert.equal(told?.data["memory"], "unavailable");
  });

  test("while Temporal cannot end his sessions no key is destroyed; asked again, it is done", async () => {
    await using world = await openTenantApp(neighbours);
    const { ledger } = world;
    await completed(world, "past", "an answer");
    const running = await openSession(ledger, { session_id: "running" });
    const headers = { "idempotency-key": "once" };
    const { status, report } = await erase(world, { user: "user-demo" }, headers);
    assert.deepEqual([status, report.code], [503, "TEMPORAL_UNAVAILABLE"]);
    assert.equal(await isReadable(world, "an answer"), true);
    assert.equal((await readRow(ledger, running)).cancel_requested, true, "that much is recorded");
    await ledger.append([{ ...eventContext(running), type: "session.canceled", key: "session.end", data: {} }]);
    const again = await erase(world, { user: "user-demo" }, headers);
    assert.deepEqual([again.status, again.report.keys_destroyed], [200, 1]);
    assert.deepEqual(await world.types("tenant-demo"), [
      "tenant.created",
      "subject.erasure_requested",
      "subject.erased",
    ]);
    assert.equal(await isReadable(world, "an answer"), false);
  });

  test("who may not erase does not", async () => {
    await using world = await openTenantApp(neighbours);
    await world.ledger.tenants.append({ events: [foundTenant("tenant-demo")] });
    await completed(world, "past", "an answer");
    const outcome = async (token: string, body: object) => {
      const answer = await world.send(token, "POST", "/v1/erasures", body);
      return [answer.statusCode, answer.json().code];
    };
    const admin = await world.login("tenant-demo", "admin-demo", ["subject.erase"]);
    const foreign = { user: "user-acme", tenant: "tenant-acme" };
    assert.deepEqual(await outcome(admin, foreign), [404, "TENANT_NOT_FOUND"]);
    for (const [user, scopes] of [
      ["user-demo", ["session.cancel", "session.read"]],
      ["auditor-demo", ["ledger.read"]],
      ["admin-demo", ["session.stop"]],
    ] as const) {
      const token = await world.login("tenant-demo", user, scopes);
      assert.deepEqual(await outcome(token, { user: "user-demo" }), [403, "FORBIDDEN"], user);
    }
    const platform = await world.login("platform", "platform-admin", capabilities);
    // An own subject of the installation's tenant: its policy lets nobody erase there.
    assert.deepEqual(await outcome(platform, { user: "platform-admin" }), [403, "POLICY_DENIED"]);
    assert.equal(await isReadable(world, "an answer"), true);
    const done = await outcome(platform, { user: "user-demo", tenant: "tenant-demo" });
    assert.deepEqual(done, [200, undefined]);
    assert.equal(await isReadable(world, "an answer"), false);
  });
});
