import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import type { Capability } from "@soma/contracts/wire-names";
import { startFaultProxy } from "../../../tests/harness/fault-proxy.ts";
import { startIdentityService, type IdentityService } from "../../orchestrator/test/harness/real-services.ts";
import { embeddingsMissing, startEmbeddingService, type EmbeddingService } from "./embedding-service.ts";
import { memoryToken, startMemoryGateway } from "./real-memory-gateway.ts";

interface Asked {
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  readonly scope: Capability;
  readonly payload?: Record<string, unknown>;
}

const remember: Asked = {
  method: "POST",
  url: "/v1/remember",
  scope: "memory.remember",
  payload: { key: "a", value: "A blue door." },
};
const recall: Asked = { method: "GET", url: "/v1/recall/a", scope: "memory.recall" };
const retrieve: Asked = {
  method: "POST",
  url: "/v1/rag/retrieve",
  scope: "memory.recall",
  payload: { query: "a door", top_k: 1 },
};
const exported: Asked = { method: "GET", url: "/v1/export?subject=user-demo", scope: "subject.erase" };
const erased: Asked = { method: "DELETE", url: "/v1/subject?subject=user-demo", scope: "subject.erase" };
const routes: readonly Asked[] = [remember, recall, retrieve, exported, erased];

describe("who may use the memory gateway, and when it cannot serve", { skip: embeddingsMissing }, () => {
  let identity: IdentityService;
  let embeddings: EmbeddingService;

  before(async () => {
    identity = await startIdentityService();
    embeddings = await startEmbeddingService(identity.url.origin);
  });
  after(async () => {
    await embeddings[Symbol.asyncDispose]();
    await identity[Symbol.asyncDispose]();
  });

  /** A gateway behind whose upstreams' addresses stands a proxy each. */
  async function open(t: TestContext) {
    const folder = mkdtempSync(join(tmpdir(), "soma-memory-"));
    const identityProxy = await startFaultProxy(t, identity.url.origin);
    const embeddingProxy = await startFaultProxy(t, embeddings.url);
    const gateway = await startMemoryGateway({
      DATA_DIR: folder,
      IDENTITY_SERVICE_URL: identityProxy.url,
      IDENTITY_CREDENTIAL_FILE: join(identity.credentialsDir, "memory-gateway"),
      EMBEDDING_BASE_URL: embeddingProxy.url,
    });
    t.after(async () => {
      await gateway[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });
    const ask = async ({ method, url, payload }: Asked, token?: string) => {
      const answer = await gateway.app.inject({
        method,
        url,
        headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }) },
        ...(payload !== undefined && { payload }),
      });
      const code = answer.statusCode === 200 ? undefined : String(answer.json().code);
      return { status: answer.statusCode, code, answer };
    };
    return { gateway, ask, identityProxy, embeddingProxy };
  }

  test("each route wants a valid token for this service with its own right", async (t) => {
    const { ask } = await open(t);
    const capabilities = ["memory.recall", "memory.remember", "subject.erase", "model.embed"] as const;
    const good = await memoryToken(identity, { user: "admin-demo", capabilities });
    const forModel = await memoryToken(identity, { user: "admin-demo", capabilities, audience: "somagent-slm" });
    const ended = await memoryToken(identity, { user: "admin-demo", capabilities });
    await fetch(new URL("/v1/tokens/revoke", identity.url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: ended }),
    });
    const login = await identity.login({
      user_id: "admin-demo",
      tenant_id: "tenant-demo",
      capabilities: [...capabilities],
    });
    for (const route of routes) {
      const { method, url, scope } = route;
      const bad = {
        "no token": undefined,
        "no JWT": "x".repeat(20),
        forModel,
        ended,
        login,
        changed: `${good.slice(0, -4)}AAAA`,
      };
      for (const [what, token] of Object.entries(bad)) {
        const { status, code } = await ask(route, token);
        assert.deepEqual([status, code], [401, "UNAUTHENTICATED"], `${method} ${url}: ${what}`);
      }
      const lacking = await memoryToken(identity, {
        user: "admin-demo",
        capabilities: capabilities.filter((each) => each !== scope),
      });
      assert.deepEqual(await statusOf(ask(route, lacking)), [403, "FORBIDDEN"], `${method} ${url} without ${scope}`);
      assert.equal((await ask(route, good)).status, 200, url);
    }
  });

  test("who may not have texts embedded can neither remember nor find, and nothing is stored", async (t) => {
    const { ask, gateway } = await open(t);
    const token = await memoryToken(identity, {
      user: "user-demo",
      capabilities: ["memory.remember", "memory.recall"],
    });
    const { status, code, answer } = await ask(remember, token);
    assert.deepEqual([status, code], [403, "FORBIDDEN"]);
    assert.match(answer.body, /model\.embed/);
    assert.equal(await gateway.parts.keys.find({ tenant: "tenant-demo", user: "user-demo" }), undefined);
  });

  for (const fault of [
    { kind: "cut" },
    { kind: "lie", status: 503, body: "busy" },
    { kind: "lie", status: 200, body: "{}" },
  ] as const) {
    test(`embeddings that fail (${JSON.stringify(fault)}): 503, and nothing half-stored`, async (t) => {
      const { ask, embeddingProxy } = await open(t);
      const token = await memoryToken(identity, { user: "user-demo" });
      assert.equal((await ask(remember, token)).status, 200);
      embeddingProxy.fault = fault;
      const second = { ...remember, payload: { key: "b", value: "A red door." } };
      const { status, code, answer } = await ask(second, token);
      assert.deepEqual([status, code], [503, "MEMORY_UNAVAILABLE"]);
      assert.match(String(answer.json().detail), /embedding service/);
      assert.notEqual(answer.headers["retry-after"], undefined);
      assert.equal((await ask(retrieve, token)).code, "MEMORY_UNAVAILABLE");
      // What needs no vectors goes on.
      assert.equal((await ask(recall, token)).status, 200);
      assert.equal((await ask({ ...recall, url: "/v1/recall/b" }, token)).status, 404);
      const admin = await memoryToken(identity, { user: "admin-demo", capabilities: ["subject.erase"] });
      const all = await ask(exported, admin);
      assert.equal(all.answer.body.trim().split("\n").length, 1);
      embeddingProxy.fault = { kind: "pass" };
      assert.equal((await ask(second, token)).status, 200);
    });
  }

  test("an identity service that is away or lies lets nobody in", async (t) => {
    const { ask, identityProxy } = await open(t);
    const token = await memoryToken(identity, { user: "user-demo" });
    for (const [fault, code] of [
      [{ kind: "cut" }, "IDENTITY_UNAVAILABLE"],
      [{ kind: "hang" }, "IDENTITY_UNAVAILABLE"],
      [{ kind: "lie", status: 200, body: '{"valid":true}' }, "IDENTITY_BAD_RESPONSE"],
    ] as const) {
      identityProxy.fault = fault;
      assert.deepEqual(await statusOf(ask(recall, token)), [503, code]);
    }
    identityProxy.fault = { kind: "edit", edit: (body) => ({ ...body, valid: false }) };
    assert.deepEqual(await statusOf(ask(recall, token)), [401, "UNAUTHENTICATED"]);
  });

  test("it is ready without the model service and not without the identity service, and names what is missing", async (t) => {
    const { gateway, embeddingProxy, identityProxy } = await open(t);
    const ready = async () => (await gateway.app.inject("/ready")).json();
    assert.equal((await ready()).status, "ready");
    embeddingProxy.fault = { kind: "cut" };
    embeddingProxy.total = true;
    await until(async () => (await ready()).status === "degraded");
    assert.equal((await ready()).missing[0].name, "slm");
    identityProxy.fault = { kind: "cut" };
    identityProxy.total = true;
    await until(async () => (await ready()).code === "NOT_READY");
    assert.equal((await gateway.app.inject("/health")).statusCode, 200);
  });
});

async function statusOf(asked: Promise<{ status: number; code: string | undefined }>): Promise<unknown[]> {
  const { status, code } = await asked;
  return [status, code];
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries += 1) {
    assert.ok(tries < 200, "it did not come to hold");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
