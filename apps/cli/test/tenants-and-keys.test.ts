import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ApiKeyPage, CreatedApiKey } from "@soma/contracts/api-key";
import { TenantView } from "@soma/contracts/tenant";
import { Value } from "typebox/value";
import { startApiStack } from "../../../tests/harness/api-stack.ts";
import { openShell } from "./run-soma.ts";

const api = await startApiStack({ after }, "cli-tenants");
const admin = openShell({ after }, { SOMA_URL: api.url });
const tenant = `acme-${String(process.pid)}`;

test("an admin of the installation logs in, makes a tenant, changes it, and suspends and resumes it", async () => {
  const login = await admin.run([
    "login",
    "--dev",
    "--stack",
    api.name,
    "--tenant",
    "platform",
    "--user",
    "platform-admin",
  ]);
  assert.equal(login.code, 0, login.stderr);
  const made = await admin.json(["tenant", "create", tenant, "--name", "Acme", "--quota", "streams=5"]);
  assert.ok(Value.Check(TenantView, made), JSON.stringify(made));
  assert.deepEqual([made.tenant, made.name, made.quotas.streams], [tenant, "Acme", 5]);
  const changed = await admin.json([
    "tenant",
    "update",
    tenant,
    "--retention-days",
    "30",
    "--if-version",
    String(made.version),
  ]);
  assert.ok(Value.Check(TenantView, changed) && changed.retention_days === 30 && changed.version > made.version);
  const late = await admin.run([
    "tenant",
    "update",
    tenant,
    "--retention-days",
    "31",
    "--if-version",
    String(made.version),
  ]);
  assert.equal(late.code, 1);
  assert.match(late.stderr, /TENANT_CHANGED \(409\)/);
  assert.equal((await admin.run(["tenant", "create", tenant])).code, 1);
  assert.match((await admin.run(["tenant", "list"])).stdout, new RegExp(`^${tenant} +active +Acme`, "m"));
  assert.equal((await admin.run(["tenant", "suspend", tenant, "--reason", "late"])).stdout, `${tenant} suspended\n`);
  assert.equal((await admin.run(["tenant", "resume", tenant])).stdout, `${tenant} active\n`);
  assert.match((await admin.run(["tenant", "get", tenant])).stdout, /^streams +5$/m);
  const events = (await admin.run(["tenant", "audit", tenant])).stdout.trim().split("\n").slice(1);
  assert.deepEqual(
    events.map((line) => /tenant\.\w+/.exec(line)?.[0]),
    ["tenant.created", "tenant.updated", "tenant.suspended", "tenant.resumed"],
  );
});

test("a key is made, logs a machine in, is listed without its secret, and ends when it is revoked", async () => {
  const key = await admin.json(["key", "create", "ci", "--role", "operator", "--expires-in", "1d", "--tenant", tenant]);
  assert.ok(Value.Check(CreatedApiKey, key), JSON.stringify(key));
  const machine = openShell({ after }, { SOMA_URL: api.url });
  const login = await machine.run(["login", "--api-key"], { input: key.secret });
  assert.equal(login.code, 0, login.stderr);
  assert.equal((await machine.run(["session", "list"])).stdout, "No sessions.\n");
  const keys = await admin.json(["key", "list", "--tenant", tenant]);
  assert.ok(Value.Check(ApiKeyPage, keys) && !JSON.stringify(keys).includes(key.secret));
  assert.equal((await admin.run(["key", "revoke", key.key_id, "--tenant", tenant])).code, 0);
  assert.equal((await machine.run(["session", "list"])).code, 4);
  assert.equal((await admin.run(["key", "revoke", "0123456789abcdef", "--tenant", tenant])).code, 3);
  assert.match((await admin.run(["key", "list", "--tenant", tenant])).stdout, /^\w{16} +ci +operator +revoked/m);
});
