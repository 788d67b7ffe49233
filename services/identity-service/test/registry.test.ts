import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "@soma/kit/config";
import { createLogger } from "@soma/kit/logger";
import { openIdentity } from "../src/identity.ts";
import { parseRegistry, RegistryError } from "../src/registry/parse-registry.ts";
import { makeDir, registryText, settingsFor, startIdentity, writeFiles } from "./start-identity.ts";

const parse = (text: string) => parseRegistry(text, { file: "registry.yaml", totpProblem: () => undefined });

const faults: readonly [title: string, from: string, to: string, line: number, reason: RegExp][] = [
  ["broken YAML", "tenants:\n", "tenants: [\n", 9, /Block collections/],
  ["a key twice", "      vic:", "      ann:", 11, /unique/],
  ["another version", "version: 1", "version: 2", 1, /\/version: must be 1/],
  [
    "an unknown capability",
    "[session.read] }\n      mia",
    "[session.reed] }\n      mia",
    11,
    /must be one of session\.start/,
  ],
  ["an unknown role", "role: viewer", "role: king", 11, /role: must be one of viewer/],
  ["an unknown field", "role: viewer", "rule: viewer", 11, /rule: is not a known field|lacks role/],
  ["no audiences", "    audiences: [somagent-orchestrator, somagent-slm]\n", "", 4, /login: lacks audiences/],
  ["a tenant that is a path", "  other:", "  ../other:", 16, /is not a tenant id/],
  ["a tenant that is __proto__", "  other:", "  __proto__:", 16, /is not a tenant id/],
  ["a user with a space", "      vic:", "      v c:", 11, /is not a user id/],
  ["a secret that is a path", "acme-mia", "../keys/key-000001.json", 12, /totp_secret_file/],
  [
    "a secret in clear",
    "totp_secret_file: acme-mia",
    "totp_secret: JBSWY3DPEHPK3PXP",
    12,
    /totp_secret: is not a known field/,
  ],
  [
    "a capability beyond the role",
    "capabilities: [session.read] }\n      mia",
    "capabilities: [session.read, session.start] }\n      mia",
    11,
    /vic\/capabilities\/1: session\.start is more than the role viewer can have here/,
  ],
  [
    "platform.manage elsewhere than in the platform's own tenant",
    "max: { role: admin, capabilities: [session.start]",
    "max: { role: admin, capabilities: [platform.manage]",
    13,
    /platform\.manage is more than the role admin can have here/,
  ],
  ["a user that looks like an API key", "      vic:", '      "key:vic":', 11, /begins as an id of users/],
  ["a user that looks foreign", "      vic:", '      "oidc:vic":', 11, /begins as an id of users/],
  ["an anchor used again", "capabilities: [session.start], mfa", "capabilities: *x, mfa", 13, /aliases/],
];
for (const [title, from, to, line, reason] of faults) {
  test(`${title} is refused with its line`, () => {
    assert.ok(registryText.includes(from));
    assert.throws(
      () => parse(registryText.replace(from, to)),
      (error) => {
        assert.ok(error instanceof RegistryError, String(error));
        assert.equal(error.line, line, error.message);
        assert.match(error.reason, reason);
        assert.ok(error.message.startsWith(`registry.yaml:${String(line)}: `));
        return true;
      },
    );
  });
}

test("a change of the file counts within seconds; a bad one is refused with its line and the old stays", async (t) => {
  const { dir, identity, issue, lines, metric } = await startIdentity(t);
  const path = join(dir, "registry.yaml");
  const asBob = async (): Promise<number> => (await issue({ user_id: "bob" })).statusCode;
  assert.equal(await asBob(), 403);

  writeFileSync(path, registryText.replace("vic: { role: viewer", "bob: { role: superuser"));
  identity.refreshRegistry();
  identity.refreshRegistry();
  assert.equal(await asBob(), 403);
  assert.equal((await issue()).statusCode, 200, "the old registry is in force");
  assert.equal(await metric("soma_identity_registry_refused", {}), 1);
  const refusals = lines.filter((line) => line.includes("registry refused"));
  assert.equal(refusals.length, 1, "said once, not every two seconds");
  const { file, line, reason } = JSON.parse(String(refusals[0]));
  assert.deepEqual([file, line], [path, 11]);
  assert.match(reason, /bob\/role: must be one of/);

  writeFileSync(path, registryText.replace("ann: {", "bob: {"));
  const deadline = Date.now() + 8_000;
  while ((await asBob()) !== 200) {
    assert.ok(Date.now() < deadline, "not taken over by itself");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(await metric("soma_identity_registry_refused", {}), 0);
});

test("the first registry must be good", async (t) => {
  const dir = makeDir(t);
  writeFiles(dir, registryText.replace("version: 1", "version: 7"));
  const log = createLogger("identity-service", "silent");
  const start = () => openIdentity(settingsFor(dir), log);
  const refused = (words: RegExp) =>
    assert.rejects(start(), (error) => error instanceof ConfigError && words.test(error.message));
  await refused(/REGISTRY_FILE is refused: .*registry\.yaml:1: \/version: must be 1/);
  rmSync(join(dir, "registry.yaml"));
  await refused(/registry\.yaml:1: does not exist/);
});

const secretFaults: readonly [title: string, spoil: (path: string) => void, reason: RegExp][] = [
  ["is missing", (path) => rmSync(path), /no file of this name/],
  ["can be read by others", (path) => chmodSync(path, 0o644), /others than its owner/],
  ["holds too short a secret", (path) => writeFileSync(path, "JBSWY3DP"), /at least 16 bytes/],
  ["holds no base32", (path) => writeFileSync(path, "!".repeat(40)), /base32/],
];
for (const [title, spoil, reason] of secretFaults) {
  test(`a registry is refused while a TOTP secret's file ${title}`, async (t) => {
    const dir = makeDir(t);
    const secret = writeFiles(dir);
    spoil(join(dir, "totp", "acme-mia"));
    await assert.rejects(openIdentity(settingsFor(dir), createLogger("x", "silent")), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /registry\.yaml:12: \/tenants\/acme\/users\/mia\/totp_secret_file: /);
      assert.match(error.message, reason);
      assert.ok(!error.message.includes(secret));
      return true;
    });
  });
}

test("a service's credential is made at its first appearance, and a replaced file counts", async (t) => {
  const { dir, identity, issue, post } = await startIdentity(t);
  const path = join(dir, "registry.yaml");
  const text = readFileSync(path, "utf8");
  writeFileSync(
    path,
    text.replace(
      "services:\n",
      "services:\n  batch: { audiences: [somagent-orchestrator], capabilities: [session.start] }\n",
    ),
  );
  identity.refreshRegistry();
  assert.equal((await issue({}, "batch")).statusCode, 200);

  const old = readFileSync(join(dir, "credentials", "login"), "utf8");
  writeFileSync(join(dir, "credentials", "login"), `${"n".repeat(43)}\n`);
  identity.refreshRegistry();
  const body = { user_id: "ann", tenant_id: "acme", capabilities: ["session.start"] };
  assert.equal((await post("/v1/tokens/issue", body, old)).statusCode, 401);
  assert.equal((await post("/v1/tokens/issue", body, "n".repeat(43))).statusCode, 200);

  writeFileSync(path, text);
  const batch = readFileSync(join(dir, "credentials", "batch"), "utf8");
  identity.refreshRegistry();
  assert.equal((await post("/v1/tokens/issue", body, batch)).statusCode, 401, "a service that is gone");
});

const credentialFaults: readonly [title: string, spoil: (dir: string) => void, reason: RegExp][] = [
  ["can be read by others", (dir) => chmodSync(join(dir, "login"), 0o644), /can be read by others/],
  ["is short", (dir) => writeFileSync(join(dir, "login"), "short"), /must hold 43 to 256/],
  [
    "is that of another service",
    (dir) => writeFileSync(join(dir, "login"), readFileSync(join(dir, "orchestrator"))),
    /holds the secret of another service/,
  ],
];
for (const [title, spoil, reason] of credentialFaults) {
  test(`a credential that ${title} stops the start`, async (t) => {
    const dir = makeDir(t);
    writeFiles(dir);
    const log = createLogger("x", "silent");
    const dirOf = join(dir, "credentials");
    mkdirSync(dirOf, { mode: 0o700 });
    await (await openIdentity(settingsFor(dir), log)).close();
    spoil(dirOf);
    await assert.rejects(
      openIdentity(settingsFor(dir), log),
      (error) => error instanceof ConfigError && reason.test(error.message),
    );
  });
}

test("the registry that ships is good and holds the demo's names", () => {
  const path = join(import.meta.dirname, "../../../infra/identity/registry.yaml");
  const { services, tenants } = parse(readFileSync(path, "utf8"));
  assert.deepEqual([...services.keys()], ["orchestrator", "login", "gateway", "memory-gateway"]);
  assert.deepEqual(
    [...services].map(([name, { managesTenants }]) => [name, managesTenants]),
    [
      ["orchestrator", true],
      ["login", false],
      ["gateway", false],
      ["memory-gateway", false],
    ],
  );
  const gateway = services.get("gateway");
  assert.deepEqual([gateway?.audiences.size, gateway?.capabilities.size], [0, 0], "it only verifies");
  const memory = services.get("memory-gateway");
  assert.deepEqual([...(memory?.capabilities ?? [])], ["model.embed"], "it remembers, and completes nothing");
  assert.deepEqual([...(memory?.exchange.to ?? [])], ["somagent-slm"]);
  const demo = tenants.get("tenant-demo");
  assert.equal(demo?.users.get("user-demo")?.role, "operator");
  assert.deepEqual(
    [...(demo?.agents.get("session-agent") ?? [])],
    ["model.complete", "model.embed", "memory.recall", "memory.remember"],
  );
  assert.deepEqual(
    ["user-demo", "viewer-demo", "approver-demo", "auditor-demo", "admin-demo"].map(
      (name) => demo?.users.get(name)?.role,
    ),
    ["operator", "viewer", "approver", "auditor", "admin"],
  );
  for (const user of demo?.users.values() ?? []) assert.ok(user.capabilities.has("ledger.read"));
  const mayManagePlatform = [...tenants].flatMap(([tenant, { users }]) =>
    [...users].filter(([, { capabilities }]) => capabilities.has("platform.manage")).map(([user]) => [tenant, user]),
  );
  assert.deepEqual(mayManagePlatform, [["platform", "platform-admin"]]);
  assert.ok(tenants.get("tenant-acme")?.users.has("user-acme"));
});
