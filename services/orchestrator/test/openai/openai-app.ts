import type { NewEvent } from "@soma/contracts/audit";
import type { StartSessionRequest } from "@soma/contracts/session";
import { digestOf, sha256 } from "@soma/kit/digest";
import { createMetrics } from "@soma/kit/metrics";
import { createTestLog } from "../../../../packages/kit/test/log-lines.ts";
import { requireToken, type Authenticate } from "../../src/access/authenticate.ts";
import { openHopGate } from "../../src/access/hop/hop-gate.ts";
import { eventContext } from "../../src/activities/step-events.ts";
import { createIdentityClient } from "../../src/adapters/identity-client.ts";
import { createModelClient } from "../../src/adapters/model-client.ts";
import { buildApp } from "../../src/app.ts";
import { newContent } from "../../src/ledger/content.ts";
import type { SessionRow } from "../../src/ledger/session-row.ts";
import { createSessionMetrics } from "../../src/session-metrics.ts";
import { createdEvent } from "../../src/sessions/created-event.ts";
import { readSessionInput } from "../../src/sessions/session-input.ts";
import { StreamRegistry } from "../../src/streams/stream-registry.ts";
import { startIdentityService } from "../harness/real-services.ts";
import { tenantDepsAlone } from "../harness/tenant-deps.ts";
import { createSessionDeps } from "../harness/session-deps.ts";
import { openTemporaryLedger } from "../ledger/sqlite-store.ts";

interface Options {
  readonly answerWithinMs?: number;
  /** Whether Temporal was seen last; there is none. */
  readonly temporalIsUp?: boolean;
  /** How callers are known; by their tokens unless given. */
  readonly authenticate?: Authenticate;
}

export const usage = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 };

/**
 * The shipped app with a real ledger and the real identity service, listening on a free port, without a Temporal: a
 * session's workflow is played by the test, which writes to the ledger what a worker in another process would.
 */
export async function startOpenaiApp(options: Options = {}) {
  const identity = await startIdentityService();
  const store = await openTemporaryLedger();
  const { ledger } = store;
  const seen = { temporalIsUp: options.temporalIsUp ?? true };
  const session = createSessionDeps(ledger, seen);
  const { log, text: logged } = createTestLog();
  const metrics = createMetrics("orchestrator");
  const sessionMetrics = createSessionMetrics(metrics.registry);
  const deltas = store.deltas;
  const identityClient = createIdentityClient(identity.url, identity.credentialFile);
  const model = createModelClient(new URL("http://127.0.0.1:1"));
  const streams = new StreamRegistry(ledger, deltas, log, sessionMetrics.openStreams);
  const app = await buildApp({
    ...session.deps,
    log,
    metrics,
    sessionMetrics,
    missing: () => [],
    authenticate: options.authenticate ?? requireToken(identityClient),
    tenants: tenantDepsAlone(ledger),
    hop: await openHopGate({ required: false, keyFile: undefined, log, registry: metrics.registry }),
    streams,
    identity: identityClient,
    model,
    ...(options.answerWithinMs !== undefined && { answerWithinMs: options.answerWithinMs }),
  });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const capabilities = ["session.start", "session.read", "session.cancel", "model.complete"];
  const token = await identity.login({ user_id: "user-demo", tenant_id: "tenant-demo", capabilities });
  return {
    url,
    app,
    ledger,
    deltas: deltas.hub,
    reopenDeltas: () => store.reopenDeltas(),
    streams,
    identity,
    logged,
    token,
    /** A request as an SDK makes it. */
    call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
      return fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    },
    /** A session that runs, as the first call with this key left it: the same call finds it again. */
    async begun(id: string, request: StartSessionRequest, key: string): Promise<SessionRow> {
      const input = { ...request, session_id: id, tenant: "tenant-demo", user: "user-demo" };
      const { created, contents } = createdEvent(readSessionInput(input), {
        role: "operator",
        authn: "token",
        taskQueue: "somagent.session.workflows",
      });
      const { row } = await ledger.openSession({
        created,
        contents,
        workflowId: `session-${id}`,
        runId: "run-1",
        idempotency: { key, requestDigest: digestOf(request) },
      });
      return row;
    },
    /** What a worker records of a step that completed, and the session's end. */
    async completes(row: SessionRow, text: string, finish_reason = "stop"): Promise<void> {
      await ledger.append(startedStep(row));
      const content = newContent(row, "text/plain; charset=utf-8", text);
      const step = { step: "completion-1", effect_key: sha256("effect") };
      const done: NewEvent = {
        ...eventContext(row),
        type: "effect.completed",
        key: "completion-1/effect.completed",
        data: { ...step, result_digest: content.digest, model: "small-1", finish_reason, usage },
      };
      await ledger.append([done], [content]);
      await ledger.append([
        {
          ...eventContext(row),
          type: "session.completed",
          key: "session.end",
          data: { result_digest: content.digest, usage },
        },
      ]);
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      await Promise.all([identityClient.close(), model.close(), session[Symbol.asyncDispose]()]);
      await store[Symbol.asyncDispose]();
      await identity[Symbol.asyncDispose]();
    },
  };
}

export type OpenaiApp = Awaited<ReturnType<typeof startOpenaiApp>>;

/** Decision and intent of the session's step. */
export function startedStep(row: SessionRow): NewEvent[] {
  const what = {
    step: "completion-1",
    action: "model.complete",
    resource: "model:default",
    action_digest: sha256("action"),
    effect_key: sha256("effect"),
    decision_id: "decision-1",
  };
  return [
    {
      ...eventContext(row),
      type: "policy.decided",
      key: "completion-1/policy.decided/1",
      data: {
        ...what,
        policy_version: "v1",
        allowed: true,
        score: 0,
        severity: "none",
        reasons: [],
        obligations: [],
        expires_at: "2999-01-01T00:00:00.000Z",
      },
    },
    {
      ...eventContext(row),
      type: "effect.intended",
      key: "completion-1/effect.intended/1",
      data: { ...what, jti: "jti-1" },
    },
  ];
}

/** The `data` of every event of a finished stream, comments left out. */
export async function dataOf(answer: Response): Promise<string[]> {
  return (await answer.text())
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => line.slice("data: ".length));
}
