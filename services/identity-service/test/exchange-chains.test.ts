import assert from "node:assert/strict";
import { test } from "node:test";
import { TokenClaims } from "@soma/contracts/identity";
import * as fc from "fast-check";
import { decodeJwt } from "jose";
import { Value } from "typebox/value";
import { exchangeRegistry, startIdentity } from "./start-identity.ts";

const jwt = "urn:ietf:params:oauth:token-type:jwt";
const capabilities = ["session.start", "session.read", "session.cancel", "model.complete", "model.embed"];
const scopes = fc.subarray(capabilities, { minLength: 2 });

/** What may happen next; numbers pick among the tokens that there are by then. */
const step = fc.record({
  subject: fc.nat(),
  actor: fc.option(fc.nat(), { nil: undefined, freq: 2 }),
  scope: fc.option(scopes, { nil: undefined }),
  audience: fc.constantFrom("somagent-orchestrator", "somagent-slm"),
  secondsLater: fc.integer({ min: 0, max: 90 }),
});
const chain = fc.record({
  granted: scopes,
  agents: fc.array(fc.constantFrom("reader", "session-agent"), { maxLength: 2 }),
  ttlSeconds: fc.integer({ min: 120, max: 900 }),
  session: fc.option(fc.constantFrom("s-1", "s-2"), { nil: undefined }),
  steps: fc.array(step, { minLength: 1, maxLength: 14 }),
  revoked: fc.nat(),
});

interface Held {
  readonly token: string;
  readonly claims: TokenClaims;
  /** Places of the tokens that it was made from. */
  readonly from: readonly number[];
}

function read(token: string, from: readonly number[] = []): Held {
  return { token, claims: Value.Parse(TokenClaims, decodeJwt(token)), from };
}

function depthOf({ act }: TokenClaims): number {
  return act === undefined ? 0 : JSON.stringify(act).split('"sub"').length - 1;
}

/** The token's place and those of all that it derives from. */
function lineage(held: readonly Held[], place: number): Set<number> {
  const found = new Set([place]);
  for (const from of held[place]?.from ?? []) for (const one of lineage(held, from)) found.add(one);
  return found;
}

test("no sequence of exchanges gives more than any token before had, and a revocation ends exactly what derives from it", async (t) => {
  const running = await startIdentity(t, { registry: exchangeRegistry });
  const begin = running.clock.nowMs;
  let done = 0;
  await fc.assert(
    fc.asyncProperty(chain, async ({ granted, agents, ttlSeconds, session, steps, revoked }) => {
      running.clock.nowMs = begin;
      const held: Held[] = [];
      const bound = session === undefined ? {} : { session_id: session };
      for (const agent of [undefined, ...agents]) {
        const more = agent === undefined ? { ttl_seconds: ttlSeconds } : { agent_id: agent };
        const answer = await running.issue({ capabilities: granted, ...bound, ...more });
        if (answer.statusCode === 200) held.push(read(answer.json().token));
      }
      for (const { subject, actor, scope, audience, secondsLater } of steps) {
        running.clock.nowMs += secondsLater * 1_000;
        const places = [subject, ...(actor === undefined ? [] : [actor])].map((number) => number % held.length);
        const [of, by] = places.map((place) => held[place]);
        if (of === undefined) return;
        const answer = await running.exchange({
          subject_token: of.token,
          ...(by !== undefined && { actor_token: by.token, actor_token_type: jwt }),
          ...(scope !== undefined && { scope: scope.join(" ") }),
          audience,
        });
        if (answer.statusCode !== 200) continue;
        done += 1;
        const made = read(answer.json().access_token, places);
        held.push(made);
        const now = running.clock.nowMs / 1_000;
        for (const place of lineage(held, held.length - 1)) {
          const { claims: before } = held[place] ?? made;
          const { claims } = made;
          const has = new Set(before.scope.split(" "));
          assert.ok(
            claims.scope.split(" ").every((name) => has.has(name)),
            `${claims.scope} of ${before.scope}`,
          );
          assert.ok(claims.exp <= before.exp, "outlives what it derives from");
          assert.deepEqual([claims.sub, claims.tenant_id, claims.role], [before.sub, before.tenant_id, before.role]);
          if (before.session_id !== undefined) assert.equal(claims.session_id, before.session_id);
          assert.ok(before.jti === claims.jti || claims.origins?.includes(before.jti), "an ancestor is not named");
        }
        assert.equal(made.claims.session_id, of.claims.session_id);
        assert.ok(made.claims.exp - now <= 300);
        assert.equal(depthOf(made.claims), depthOf(of.claims) + 1);
        assert.ok(depthOf(made.claims) <= 4);
        if (scope !== undefined) assert.ok(made.claims.scope.split(" ").every((name) => scope.includes(name)));
      }
      if (held.length === 0) return;
      running.clock.nowMs = begin;
      const ended = revoked % held.length;
      await running.post("/v1/tokens/revoke", { jti: held[ended]?.claims.jti }, running.secretOf("login"));
      // At a time when none has expired and all were issued: only the revocation can count.
      const latest = Math.max(...held.map(({ claims }) => claims.iat)) * 1_000;
      const earliestEnd = Math.min(...held.map(({ claims }) => claims.exp)) * 1_000;
      if (latest >= earliestEnd) return;
      running.clock.nowMs = latest;
      for (const [place, { token }] of held.entries())
        assert.equal((await running.verify(token)).valid, !lineage(held, place).has(ended), `token ${String(place)}`);
    }),
    { numRuns: 100, verbose: true },
  );
  assert.ok(done >= 50, `only ${String(done)} exchanges took place`);
});
