import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { roleCapabilities } from "@soma/contracts/roles";
import { capabilities, roles } from "@soma/contracts/wire-names";
import * as fc from "fast-check";
import { decodeJwt } from "jose";
import { stringify } from "yaml";
import { startIdentity } from "./start-identity.ts";

const some = fc.subarray([...capabilities]);
const asked = fc.subarray([...capabilities], { minLength: 1 });
const world = fc.record({
  role: fc.constantFrom(...roles),
  tenant: fc.constantFrom("acme", "platform"),
  user: some,
  agent: some,
  service: some,
  exchanger: some,
  session: asked,
  further: asked,
  keyScopes: asked,
  withAgent: fc.boolean(),
});
const runs = 200;
const seed = Date.now() % 2 ** 31;

const scopeOf = (token: string): string[] => String(decodeJwt(token)["scope"]).split(" ");

/** What a role can have in a tenant, said anew here. */
function ofRole(role: (typeof roles)[number], tenant: string): string[] {
  return roleCapabilities[role].filter((name) => name !== "platform.manage" || tenant === "platform");
}

test(`issue, two exchanges and an API key give what all hold and nothing else, ${String(runs)} times, seed ${String(seed)}`, async (t) => {
  const running = await startIdentity(t);
  let given = 0;
  await fc.assert(
    fc.asyncProperty(
      world,
      async ({ role, tenant, user, agent, service, exchanger, session, further, keyScopes, withAgent }) => {
        const limit = ofRole(role, tenant);
        const both = (...limits: readonly (readonly string[])[]) =>
          session.filter((name) => limits.every((one) => one.includes(name)));
        const held = user.filter((name) => limit.includes(name));
        const audiences = ["somagent-orchestrator", "somagent-slm"];
        const registry = {
          version: 1,
          services: {
            orchestrator: { audiences: [], capabilities: [], manages_tenants: true },
            login: { audiences, capabilities: service },
            gateway: { audiences: [], capabilities: exchanger, exchange: { from: audiences, to: audiences } },
          },
          tenants: {
            [tenant]: {
              users: { ann: { role, capabilities: held } },
              agents: { "session-agent": { capabilities: agent } },
            },
          },
        };
        writeFileSync(join(running.dir, "registry.yaml"), stringify(registry, { aliasDuplicateObjects: false }));
        running.identity.refreshRegistry();
        assert.equal(await running.metric("soma_identity_registry_refused", {}), 0);
        const acting = withAgent ? { agent_id: "session-agent" } : {};
        const limits = [service, ...(withAgent ? [agent] : [])];

        const issued = async (id: string, holds: readonly string[]): Promise<string | undefined> => {
          const answer = await running.issue({ tenant_id: tenant, user_id: id, capabilities: session, ...acting });
          const expected = both(holds, limit, ...limits);
          assert.equal(answer.statusCode, expected.length === 0 ? 403 : 200, answer.body);
          if (expected.length === 0) return undefined;
          const token = String(answer.json().token);
          assert.deepEqual(scopeOf(token), expected);
          assert.equal((await running.verify(token)).valid, true);
          given += expected.length;
          return token;
        };
        const exchanged = async (subject: string, holds: readonly string[], wanted: readonly string[]) => {
          const answer = await running.exchange({ subject_token: subject, scope: wanted.join(" ") });
          const expected = wanted.filter((name) => [holds, exchanger].every((one) => one.includes(name)));
          assert.equal(answer.statusCode, expected.length === 0 ? 403 : 200, answer.body);
          if (expected.length === 0) return undefined;
          const token = String(answer.json().access_token);
          assert.deepEqual(scopeOf(token), expected);
          given += expected.length;
          return token;
        };

        const first = await issued("ann", held);
        const second = first && (await exchanged(first, scopeOf(first), further));
        if (second) await exchanged(second, scopeOf(second), session);

        const key = await running.manage("POST", "/v1/api-keys", {
          tenant,
          name: "k",
          role,
          scopes: keyScopes,
          created_by: "ann",
        });
        const isWithin = keyScopes.every((name) => limit.includes(name));
        assert.equal(key.statusCode, isWithin ? 201 : 400, key.body);
        if (!isWithin) return;
        const { secret, key_id: id } = key.json();
        assert.deepEqual((await running.verify(secret)).claims.scope.split(" ").toSorted(), keyScopes.toSorted());
        await issued(`key:${String(id)}`, keyScopes);
        await exchanged(secret, keyScopes, further);
      },
    ),
    { numRuns: runs, seed },
  );
  assert.ok(given > runs / 4, "the property says little when little is ever granted");
});
