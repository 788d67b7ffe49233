import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { AuditEvent, EventPage } from "@soma/contracts/audit";
import { isTerminal, type SessionView } from "@soma/contracts/session";
import { request } from "undici";
import { startOrchestrator } from "../harness/orchestrator-process.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { until } from "../harness/until.ts";

const stack = stackUnderTest();
const identity = stack.urls["identity-service"];

async function post<Body>(path: string, body: unknown, service?: string): Promise<Body> {
  const secret = service && readFileSync(join(dirname(stack.credentialFile), service), "utf8").trim();
  const answer = await fetch(identity + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...(secret && { authorization: `Bearer ${secret}` }) },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  const parsed: Body = JSON.parse(text);
  return parsed;
}

const login = async (): Promise<string> =>
  (
    await post<{ token: string }>(
      "/v1/tokens/issue",
      {
        user_id: "user-demo",
        tenant_id: "tenant-demo",
        capabilities: ["session.start", "session.read"],
        ttl_seconds: 3_600,
      },
      "login",
    )
  ).token;

/** What the model service saw of one call. */
interface ModelCall {
  readonly token: string;
  /** Its first words have come: its token was found good. */
  begun: boolean;
  ended: "answered" | "closed" | undefined;
}

/**
 * Stands before the real model service, passes everything on, and slows the stream down, so that a short answer takes
 * as long as a long one. It writes down who hung up.
 */
async function slowModel(context: TestContext): Promise<{ url: string; calls: ModelCall[] }> {
  const calls: ModelCall[] = [];
  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch(() => outgoing.destroy());
  });
  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
    const call: ModelCall = {
      token: String(incoming.headers.authorization).slice("Bearer ".length),
      begun: false,
      ended: undefined,
    };
    const gone = new AbortController();
    if (incoming.method === "POST") calls.push(call);
    outgoing.on("close", () => {
      call.ended = outgoing.writableFinished ? "answered" : "closed";
      gone.abort();
    });
    const { host: _host, connection: _connection, "transfer-encoding": _encoding, ...headers } = incoming.headers;
    const answer = await request(`${stack.urls.slm}${String(incoming.url)}`, {
      method: incoming.method === "POST" ? "POST" : "GET",
      headers,
      body: incoming.method === "POST" ? Buffer.concat(chunks) : null,
      signal: gone.signal,
    });
    outgoing.writeHead(answer.statusCode, { "content-type": String(answer.headers["content-type"]) });
    let text = "";
    for await (const chunk of answer.body) {
      text += Buffer.from(chunk).toString("utf8");
      // Event by event: what came together in one packet is slowed down, too.
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        outgoing.write(text.slice(0, end + 2));
        text = text.slice(end + 2);
        call.begun = answer.statusCode === 200;
        await sleep(1_000, undefined, { signal: gone.signal });
      }
    }
    outgoing.write(text);
    outgoing.end();
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  context.after(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  return { url: `http://127.0.0.1:${String(address.port)}`, calls };
}

interface Running {
  readonly id: string;
  readonly model: { calls: ModelCall[] };
  view(): Promise<SessionView>;
  events(): Promise<AuditEvent[]>;
  stop(): Promise<number | null>;
}

/** A session that was started with a token and whose model call has begun; read with another token. */
async function startRunning(context: TestContext, token: string): Promise<Running> {
  const model = await slowModel(context);
  const orchestrator = await startOrchestrator(context, { env: { AUTH_MODE: "required", SLM_BASE_URL: model.url } });
  const { api } = orchestrator;
  const reader = { authorization: `Bearer ${await login()}` };
  const id = `sess-${randomUUID()}`;
  const session = { prompt: "Write a long story about a lighthouse keeper.", metadata: { session_id: id } };
  await api.start(session, { authorization: `Bearer ${token}` });
  await until("the model answers", () => (model.calls[0]?.begun === true ? true : undefined));
  return {
    id,
    model,
    view: async () => (await api.request<SessionView>("GET", `/v1/sessions/${id}`, { headers: reader })).body,
    events: async () =>
      (await api.request<EventPage>("GET", `/v1/sessions/${id}/events?limit=1000`, { headers: reader })).body.events,
    stop: () => orchestrator.stop(),
  };
}

/** The end of a session, and how long it took from now on. */
async function endedWithin(running: Running, withinMs: number): Promise<{ view: SessionView; tookMs: number }> {
  const begin = performance.now();
  const view = await until(
    "the session ends",
    async () => {
      const seen = await running.view();
      return isTerminal(seen.status) ? seen : undefined;
    },
    withinMs,
  );
  return { view, tookMs: performance.now() - begin };
}

async function assertRevoked(context: TestContext, running: Running): Promise<void> {
  const { view, tookMs } = await endedWithin(running, 30_000);
  context.diagnostic(`ended ${String(Math.round(tookMs))} ms after the revocation`);
  assert.equal(view.status, "failed");
  assert.equal(view.error?.code, "ACCESS_REVOKED");
  assert.equal(view.result, undefined);
  const events = await running.events();
  const types = events.map(({ type }) => type);
  assert.equal(types.filter((type) => type === "effect.intended").length, 1, "no effect began after the first");
  assert.equal(types.filter((type) => type === "effect.completed").length, 0);
  assert.deepEqual(types.slice(-2), ["effect.failed", "session.failed"]);
  assert.ok(events.slice(-2).every(({ data }) => data["code"] === "ACCESS_REVOKED"));
  assert.deepEqual(
    running.model.calls.map(({ ended }) => ended),
    ["closed"],
    "the model service saw its one connection closed",
  );
  const step = running.model.calls[0]?.token;
  assert.deepEqual(await post("/v1/tokens/verify", { token: step }), { valid: false });
}

test("a login that is revoked ends the session that runs on it within 30 s: the model call is cut, nothing begins", async (context) => {
  const token = await login();
  const running = await startRunning(context, token);
  await post("/v1/tokens/revoke", { token });
  await assertRevoked(context, running);
  await running.stop();
});

test("so does the revocation, by id, of an older token that the login derives from", async (context) => {
  const first = await login();
  const { jti } = JSON.parse(Buffer.from(first.split(".")[1] ?? "", "base64url").toString());
  const { token } = await post<{ token: string }>(
    "/v1/tokens/issue",
    {
      user_id: "user-demo",
      tenant_id: "tenant-demo",
      capabilities: ["session.start"],
      parent_jti: jti,
      parent_origins: ["an-older-one"],
    },
    "login",
  );
  const running = await startRunning(context, token);
  await post("/v1/tokens/revoke", { jti: "an-older-one" }, "login");
  await assertRevoked(context, running);
  await running.stop();
});

test("a login that runs out stops nothing, and a revoked step token alone brings a new decision and a new token", async (context) => {
  const { token } = await post<{ token: string }>(
    "/v1/tokens/issue",
    { user_id: "user-demo", tenant_id: "tenant-demo", capabilities: ["session.start"], ttl_seconds: 5 },
    "login",
  );
  const running = await startRunning(context, token);
  const [call] = running.model.calls;
  await post("/v1/tokens/revoke", { token: call?.token });
  await until("the model answers again", () => (running.model.calls[1]?.begun === true ? true : undefined), 20_000);
  assert.equal(call?.ended, "closed");
  assert.notEqual(running.model.calls[1]?.token, call.token);
  const types = (await running.events()).map(({ type }) => type);
  assert.equal(types.filter((type) => type === "policy.decided").length, 2);
  assert.equal(isTerminal((await running.view()).status), false);
  await running.stop();
});
