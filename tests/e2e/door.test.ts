import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { SessionView } from "@soma/contracts/session";
import type { TenantEventPage } from "@soma/contracts/tenant-events";
import { calculateJwkThumbprint, decodeJwt } from "jose";
import { forge, type Json } from "../../services/identity-service/test/forge.ts";
import { attacks } from "../../services/identity-service/test/jwt-attacks.ts";
import { startIssuer } from "../../services/identity-service/test/oidc-issuer.ts";
import { trustOf } from "../../services/identity-service/test/trust.ts";
import { openDoor, type Door } from "../harness/door.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { stepTokenOf, tokenOf } from "../harness/tokens.ts";
import { until } from "../harness/until.ts";

const stack = stackUnderTest();
let door: Door;
let platform = "";
const cleanUps: (() => Promise<void>)[] = [];
before(async () => {
  door = await openDoor(
    { after: (clean) => void cleanUps.push(clean) },
    // All that is tried here comes from one address.
    { gateway: { GATEWAY_UNKNOWN_PER_MINUTE: "60000" } },
  );
  platform = await tokenOf("platform", "platform-admin");
  // Who asks the same thing hundreds of times on purpose needs room for it.
  const made = await door.api.request("POST", "/v1/tenants", {
    body: { tenant: "tenant-acme", quotas: { requests_per_minute: 1_000_000 } },
    headers: { authorization: `Bearer ${platform}` },
  });
  assert.equal(made.status, 201, made.text);
});
after(async () => {
  for (const clean of cleanUps.toReversed()) await clean();
});

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const read = (token: string, id = "sess-any") =>
  door.api.request("GET", `/v1/sessions/${id}`, { headers: { ...bearer(token), "x-request-id": "same" } });

/** A token that was really issued, and the key that it was signed with: nobody outside of the service has that. */
async function genuineToken() {
  const token = await tokenOf("tenant-demo", "user-demo");
  const folder = join(stack.identityDataDir, "keys");
  const [file = ""] = readdirSync(folder);
  const { jwk }: { jwk: { kty: string; crv: string; x: string; d: string } } = JSON.parse(
    readFileSync(join(folder, file), "utf8"),
  );
  const { kty, crv, x } = jwk;
  const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
  const publicKey = createPublicKey(privateKey);
  const kid = await calculateJwkThumbprint({ kty, crv, x });
  const claims: Json = decodeJwt(token);
  const publicJwk = { kty: "OKP", crv: "Ed25519", x, kid, use: "sig", alg: "EdDSA" } as const;
  return { token, kid, privateKey, publicKey, publicJwk, claims, header: { alg: "EdDSA", typ: "at+jwt", kid } };
}

test("JWT gate: every attack is one 401, and the ledger of the installation counts each under its class", async () => {
  const from = await genuineToken();
  const now = Math.floor(Date.now() / 1000);
  const signed = (changes: Json): string => forge(from.header, { ...from.claims, ...changes }, from.privateKey);
  assert.equal((await read(signed({}))).status, 404, "what the table forges is good when nothing is wrong with it");
  // Within the leeway of 60 s, with some seconds for the way.
  for (const good of [{ exp: now - 50 }, { iat: now + 50 }, { iat: now - 120, nbf: now + 50 }])
    assert.equal((await read(signed(good))).status, 404, JSON.stringify(good));
  const tried: [string, string][] = [
    // A line break is no header's value: such a token cannot be sent at all.
    ...attacks
      .map(([, reason, make]): [string, string] => [make(from), reason])
      .filter(([token]) => !token.includes("\n")),
    [signed({ exp: now - 61 }), "expired"],
    [signed({ iat: now + 70 }), "not_yet_valid"],
    [signed({ nbf: now + 70 }), "not_yet_valid"],
    [await stepTokenOf("tenant-demo", "user-demo"), "audience"],
    [`soma_${"a".repeat(16)}_${"b".repeat(43)}`, "unknown_key"],
  ];
  const answers = new Set<string>();
  const expected = new Map<string, number>();
  for (const [token, reason] of tried) {
    const answer = await read(token);
    assert.equal(answer.status, 401, `${reason}: ${answer.text}`);
    answers.add(answer.text);
    expected.set(reason, (expected.get(reason) ?? 0) + 1);
  }
  assert.equal(answers.size, 1, "no attack is told apart from another");
  const counted = await until("the refusals are in the ledger", async () => {
    const { body } = await door.api.request<TenantEventPage>("GET", "/v1/tenants/platform/events?limit=1000", {
      headers: bearer(platform),
    });
    const found = new Map<string, number>();
    for (const { type, data } of body.events) {
      if (type !== "access.refused") continue;
      const [reason, count] = [String(data["reason"]), Number(data["count"])];
      found.set(reason, (found.get(reason) ?? 0) + count);
    }
    const sum = [...found.values()].reduce((total, count) => total + count, 0);
    return sum >= tried.length ? found : undefined;
  });
  assert.deepEqual(Object.fromEntries(counted), Object.fromEntries(expected));
});

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length / 2] ?? 0;

test("another tenant's session and one that never was: the same bytes, and no time that tells them apart", async () => {
  const id = `sess-${randomUUID()}`;
  const demo = await tokenOf("tenant-demo", "user-demo");
  const acme = await tokenOf("tenant-acme", "user-acme");
  const started = await door.api.request("POST", "/v1/sessions/start", {
    body: { prompt: "Say yes.", metadata: { session_id: id } },
    headers: bearer(demo),
  });
  assert.equal(started.status, 202, started.text);
  const unknown = `sess-${randomUUID()}`;
  const times: Record<"foreign" | "unknown", number[]> = { foreign: [], unknown: [] };
  const texts = new Set<string>();
  for (let round = 0; round < 210; round += 1) {
    for (const kind of ["foreign", "unknown"] as const) {
      const begin = performance.now();
      const answer = await read(acme, kind === "foreign" ? id : unknown);
      // The first ones warm up.
      if (round >= 10) times[kind].push(performance.now() - begin);
      assert.equal(answer.status, 404);
      texts.add(answer.text);
    }
  }
  assert.equal(texts.size, 1);
  const difference = Math.abs(median(times.foreign) - median(times.unknown));
  process.stdout.write(
    `# foreign ${median(times.foreign).toFixed(2)} ms, unknown ${median(times.unknown).toFixed(2)} ms at the median of 200\n`,
  );
  assert.ok(difference < 5, `${difference.toFixed(2)} ms`);
});

test("somebody from a foreign issuer logs in through the door and runs a session; his id token opens nothing", async (t) => {
  const issuer = await startIssuer(t, "ES256");
  const tenant = `tenant-${randomUUID().slice(0, 8)}`;
  const made = await door.api.request("POST", "/v1/tenants", {
    body: { tenant, policy_pack: "standard", issuers: [trustOf(issuer, { algorithms: ["ES256"] })] },
    headers: bearer(platform),
  });
  assert.equal(made.status, 201, made.text);
  const { access, id: identity } = await issuer.personTokens("ada");
  const logIn = (token: string) =>
    door.api.request<{ token: string }>("POST", "/v1/login", { body: { tenant, token } });
  assert.equal((await logIn(identity)).status, 401);
  for (const token of [access, identity])
    assert.equal((await read(token)).status, 401, "at the door itself neither counts");
  const login = await logIn(access);
  assert.equal(login.status, 200, login.text);
  const { token } = login.body;
  const started = await door.api.request<{ session_id: string }>("POST", "/v1/sessions", {
    body: { prompt: "Say yes." },
    headers: bearer(token),
  });
  assert.equal(started.status, 202, started.text);
  const view = await until("the session ends", async () => {
    const { body } = await door.api.request<SessionView>("GET", `/v1/sessions/${started.body.session_id}`, {
      headers: bearer(token),
    });
    return body.status === "running" || body.status === "starting" ? undefined : body;
  });
  assert.equal(view.status, "completed", JSON.stringify(view));
  assert.equal(view.tenant, tenant);
  assert.match(view.user, /^oidc:[0-9a-f]{16}:ada$/);
});
