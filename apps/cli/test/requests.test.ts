import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { json, startScriptedServer } from "../../../packages/kit/test/scripted-server.ts";
import { openShell } from "./run-soma.ts";

const shell = openShell({ after });
const refusal = {
  type: "urn:soma:problem:forbidden",
  title: "No",
  status: 403,
  detail: "No.",
  code: "FORBIDDEN",
  request_id: "r",
};
writeFileSync(join(shell.home, "issuers.json"), '[{"issuer":"https://login.example"}]');

/** What each command asks for; a server that refuses everything shows that, and proves nothing of what it would do. */
const asked: readonly (readonly [command: string, request: string, body?: unknown])[] = [
  [
    "tenant create acme --name Acme --quota streams=5 --quota tokens_per_day=0",
    "POST /v1/tenants",
    { tenant: "acme", name: "Acme", quotas: { streams: 5, tokens_per_day: 0 } },
  ],
  ["tenant get acme", "GET /v1/tenants/acme"],
  ["tenant list", "GET /v1/tenants"],
  [
    "tenant update acme --policy-pack strict --retention-days 30 --if-version 4",
    "PATCH /v1/tenants/acme",
    { policy_pack: "strict", retention_days: 30, version: 4 },
  ],
  [
    "tenant update acme --issuers issuers.json",
    "PATCH /v1/tenants/acme",
    { issuers: [{ issuer: "https://login.example" }] },
  ],
  ["tenant suspend acme --reason late", "POST /v1/tenants/acme/suspend", { reason: "late" }],
  ["tenant resume acme", "POST /v1/tenants/acme/resume", {}],
  ["tenant audit acme --after 7", "GET /v1/tenants/acme/events?after=7&limit=500"],
  [
    "key create ci --role operator --scope session.start --scope session.read --expires-in 12h",
    "POST /v1/api-keys",
    { name: "ci", role: "operator", scopes: ["session.start", "session.read"], expires_in_seconds: 43_200 },
  ],
  ["key list --tenant acme", "GET /v1/api-keys?tenant=acme"],
  ["key revoke 0123456789abcdef --tenant acme", "DELETE /v1/api-keys/0123456789abcdef?tenant=acme"],
  [
    "session list --tenant acme --user u --status failed --limit 5",
    "GET /v1/sessions?user=u&status=failed&tenant=acme&limit=5",
  ],
  [
    "session start hello --interactive --idle 1h --budget-tokens 500 --budget-cost 0.05 --budget-steps 3 --budget-time 2m",
    "POST /v1/sessions",
    {
      prompt: "hello",
      mode: "interactive",
      idle_seconds: 3_600,
      budget: { tokens: 500, cost_micros: 50_000, steps: 3, wall_seconds: 120 },
    },
  ],
  [
    "session say s hello --busy rollback --final --idempotency-key k",
    "POST /v1/sessions/s/actions/message",
    { text: "hello", busy: "rollback", final: true },
  ],
  ["session pause s --reason lunch", "POST /v1/sessions/s/actions/pause", { reason: "lunch" }],
  ["session resume s", "POST /v1/sessions/s/actions/resume", {}],
  ["session retry s", "POST /v1/sessions/s/actions/retry", {}],
  ["session cancel s", "POST /v1/sessions/s/actions/cancel", {}],
  ["session terminate s --tenant acme", "POST /v1/sessions/s/actions/terminate?tenant=acme", {}],
  [
    "session extend-budget s --tokens 5 --cost 1 --steps 2 --time 1d",
    "POST /v1/sessions/s/actions/extend-budget",
    { tokens: 5, cost_micros: 1_000_000, steps: 2, wall_seconds: 86_400 },
  ],
  ["session diagnose s", "GET /v1/sessions/s/diagnosis"],
  ["stop --session s --reason why --yes", "POST /v1/stops", { scope: "session", target: "s", reason: "why" }],
  [
    "stop --agent a --tenant acme --reason why --yes",
    "POST /v1/stops",
    { scope: "agent", target: "a", tenant: "acme", reason: "why" },
  ],
  ["stop --tenant acme --reason why --yes", "POST /v1/stops", { scope: "tenant", tenant: "acme", reason: "why" }],
  ["stop --all --reason why --yes", "POST /v1/stops", { scope: "all", reason: "why" }],
  ["erase u --tenant acme --yes", "POST /v1/erasures", { user: "u", tenant: "acme" }],
  ["approval list", "GET /v1/sessions?status=waiting_approval&limit=100"],
];

test("each command asks the route of its name for what it was told", async () => {
  await using server = await startScriptedServer(...asked.map(() => json(403, refusal)));
  for (const [command, request, body] of asked) {
    const { code, stderr } = await shell.run([...command.split(" "), "--url", server.url.origin]);
    assert.equal(code, 4, stderr);
    const seen = server.seen.at(-1);
    assert.equal(`${String(seen?.method)} ${String(seen?.path)}`, request);
    assert.deepEqual(seen?.body === "" ? undefined : JSON.parse(seen?.body ?? "null"), body);
  }
});

test("values that cannot be are refused before anything is asked", async () => {
  for (const command of [
    "tenant create acme --quota streams=many",
    "tenant create acme --quota nonsense=5",
    "tenant update acme",
    "tenant update acme --issuers nowhere.json",
    "key create ci --role emperor",
    "key create ci",
    "key create ci --role viewer --expires-in soon",
    "session watch x --after -1",
    "session start hello --idle 1h",
    "session start hello --interactive --budget-cost 0",
    "session start hello --interactive --budget-cost 0.0000001",
    "session say x",
    "session say x hello --busy shout",
    "session extend-budget x",
    "stop --user u --yes",
    "stop --reason why --yes",
    "stop --user u --session s --reason why --yes",
    "stop --all --tenant acme --reason why --yes",
    "stop --user u --reason why",
    "erase u",
    "chat",
    "chat x --json",
    "audit verify",
    "audit verify x --head nonsense",
    "login",
    "login --dev --token",
    "login --issuer https://login.example",
  ]) {
    const { code, stderr } = await shell.run([...command.split(" "), "--url", "http://127.0.0.1:9"]);
    assert.equal(code, 2, `${command}: ${stderr}`);
  }
});
