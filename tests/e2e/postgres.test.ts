import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { postgresMissing, startPostgresServer } from "../../services/orchestrator/test/ledger/postgres-server.ts";
import { demoSession } from "../harness/api.ts";
import { readStream } from "../harness/event-stream.ts";
import { startOrchestrator } from "../harness/orchestrator-process.ts";
import { until } from "../harness/until.ts";

test(
  "with DATABASE_URL sessions run on PostgreSQL, wait while it is down and go on when it is back",
  { skip: postgresMissing },
  async (context) => {
    const server = await startPostgresServer();
    context.after(() => server[Symbol.asyncDispose]());
    const url = server.urlOf(await server.createDatabase());
    const orchestrator = await startOrchestrator(context, { env: { DATABASE_URL: url } });
    const { api } = orchestrator;
    await until("ready", async () => ((await api.request("GET", "/ready")).status === 200 ? true : undefined));
    const session = demoSession("Say one word.");
    await api.start(session);
    const types: string[] = [];
    for await (const { event } of readStream(`${api.url}/v1/sessions/${session.metadata.session_id}/events`)) {
      if (event !== "delta") types.push(event);
    }
    assert.deepEqual(types, [
      "session.created",
      "policy.decided",
      "token.issued",
      "effect.intended",
      "effect.completed",
      "session.completed",
    ]);
    assert.ok(!existsSync(join(orchestrator.dataDir, "ledger.sqlite")), "a second ledger");

    await server.stopImmediately();
    const refused = await api.request("POST", "/v1/sessions", { body: demoSession("Too early.") });
    assert.equal(refused.status, 503, refused.text);
    assert.equal(refused.body.code, "AUDIT_UNAVAILABLE");
    await server.start();
    const later = demoSession("Say one word.");
    await until("a start is accepted again", async () =>
      (await api.request("POST", "/v1/sessions", { body: later })).status === 202 ? true : undefined,
    );
    assert.equal((await api.ended(later.metadata.session_id)).status, "completed");
  },
);
