import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import {
  bytes,
  cut,
  hang,
  json,
  stall,
  startScriptedServer,
  type Answer,
} from "../../../packages/kit/test/scripted-server.ts";
import {
  areReachable,
  guardedLookup,
  isLoopbackAddress,
  isPublicAddress,
  literalAddress,
  reachOf,
} from "../src/foreign/egress.ts";
import { fetchKeySet } from "../src/foreign/fetch-key-set.ts";
import { startIssuer } from "./oidc-issuer.ts";
import { startIdentity } from "./start-identity.ts";
import { outcomeOf, trust, trustOf } from "./trust.ts";

const here = { loopbackAllowed: true };

const unusable: readonly [title: string, answer: Answer, reason: RegExp][] = [
  ["a redirect", bytes(302, "", { location: "http://127.0.0.1:1/jwks" }), /answered 302/],
  ["an error", json(500, { keys: [] }), /answered 500/],
  ["no JSON", bytes(200, "<html>canary</html>"), /no key set/],
  ["another document", json(200, { jwks: [] }), /no key set/],
  ["65 keys", json(200, { keys: Array.from({ length: 65 }, () => ({ kty: "RSA" })) }), /no key set/],
  ["over 64 KiB", bytes(200, JSON.stringify({ keys: [], pad: "x".repeat(65_536) })), /exceeded|max size/i],
  ["an end half-way", cut, /./],
  ["no answer", hang, /no answer in time|aborted/i],
  ["half an answer", stall, /no answer in time|aborted/i],
];
for (const [title, answer, reason] of unusable) {
  test(`an issuer that gives ${title} gives no keys, and the error holds nothing of it`, async () => {
    await using server = await startScriptedServer(answer);
    await assert.rejects(fetchKeySet(`${server.url.origin}/jwks`, here), (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, reason);
      assert.ok(!error.message.includes("canary"));
      return true;
    });
  });
}

test("no credential, cookie or body goes to an issuer", async () => {
  await using server = await startScriptedServer(json(200, { keys: [] }));
  assert.equal((await fetchKeySet(`${server.url.origin}/keys?version=1`, here)).size, 0);
  const [seen] = server.seen;
  assert.deepEqual([seen?.method, seen?.path, seen?.body], ["GET", "/keys?version=1", ""]);
  assert.deepEqual(Object.keys(seen?.headers ?? {}).toSorted(), ["accept", "connection", "host"]);
});

const notPublic = [
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "127.0.0.1",
  "127.255.255.254",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.8",
  "192.0.2.1",
  "192.168.1.1",
  "198.18.0.1",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "::ffff:7f00:1",
  "64:ff9b::7f00:1",
  "fc00::1",
  "fd12:3456::1",
  "fe80::1",
  "ff02::1",
  "2001::1",
  "2001:db8::1",
  "2002:7f00:1::1",
  "3fff::1",
  "localhost",
  "",
  "8.8.8",
];
const publicOnes = [
  "1.1.1.1",
  "8.8.8.8",
  "100.63.255.255",
  "100.128.0.1",
  "172.15.0.1",
  "172.32.0.1",
  "2606:4700::1111",
  "2a00:1450::1",
];

const may = (url: string, loopbackAllowed: boolean): boolean => {
  const parsed = new URL(url);
  return reachOf(parsed, loopbackAllowed)(literalAddress(parsed) ?? "");
};

test("which addresses a tenant's URL may lead to", () => {
  for (const address of notPublic) assert.equal(isPublicAddress(address), false, address);
  for (const address of publicOnes) assert.equal(isPublicAddress(address), true, address);
  for (const address of ["127.0.0.1", "127.9.9.9", "::1"]) assert.equal(isLoopbackAddress(address), true);
  for (const address of ["128.0.0.1", "::2", "localhost", "10.0.0.1"]) assert.equal(isLoopbackAddress(address), false);
  assert.deepEqual(
    [
      "http://127.0.0.1:80/k",
      "http://2130706433/k",
      "http://0x7f.1/k",
      "http://[::1]/k",
      "https://127.0.0.1/k",
      "http://1.1.1.1/k",
      "https://1.1.1.1/k",
      "https://[::ffff:127.0.0.1]/k",
      "https://[2606:4700::1111]/k",
    ].map((url) => [may(url, true), may(url, false)]),
    [
      [true, false],
      [true, false],
      [true, false],
      [true, false],
      [false, false],
      [false, false],
      [true, true],
      [false, false],
      [true, true],
    ],
  );
});

test("an address that may not be reached is never connected to, named or literal", async (t) => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const port = String(address.port);
  const refused: readonly [url: string, loopbackAllowed: boolean][] = [
    [`https://127.0.0.1:${port}/jwks`, true],
    [`https://localhost:${port}/jwks`, true],
    [`https://[::ffff:127.0.0.1]:${port}/jwks`, true],
    [`http://localhost:${port}/jwks`, false],
    [`http://127.0.0.1:${port}/jwks`, false],
    [`ftp://127.0.0.1:${port}/jwks`, true],
  ];
  for (const [url, loopbackAllowed] of refused)
    await assert.rejects(fetchKeySet(url, { loopbackAllowed }), /address that issuers may not have|ftp|protocol/i, url);
  assert.equal(connections, 0);
  await assert.rejects(fetchKeySet(`http://localhost:${port}/jwks`, here));
  assert.ok(connections > 0, "else the test says nothing");
});

const resolve = (mayReach: (address: string) => boolean, all: boolean) =>
  new Promise((done, fail) => {
    guardedLookup(mayReach)("localhost", { all }, (error, address) => {
      if (error === null) done(address);
      else fail(error);
    });
  });

test("a name is resolved once for a connection, and is good when all that it leads to is", async () => {
  await assert.rejects(resolve(isPublicAddress, true), /may not have/);
  await assert.rejects(resolve(isPublicAddress, false), /may not have/);
  assert.equal(isLoopbackAddress(String(await resolve(isLoopbackAddress, false))), true);
  assert.ok(Array.isArray(await resolve(isLoopbackAddress, true)));
  const [open, closed] = [{ address: "1.1.1.1" }, { address: "10.0.0.1" }];
  assert.equal(areReachable([open, open], isPublicAddress), true);
  for (const addresses of [[open, closed], [closed, open], [closed], []])
    assert.equal(areReachable(addresses, isPublicAddress), false);
});

test("a service that others can reach does not ask this machine for keys", async (t) => {
  const issuer = await startIssuer(t);
  const running = await startIdentity(t, { environment: { HOST: "0.0.0.0" } });
  await trust(running, [trustOf(issuer)]);
  assert.equal(await outcomeOf(running, await issuer.machineToken()), "503 IDENTITY_UNAVAILABLE");
  assert.equal(issuer.keyRequests(), 0);
});

test("a key address that is no URL is an issuer without keys, and no failure of the service", async (t) => {
  const issuer = await startIssuer(t);
  const running = await startIdentity(t);
  await trust(running, [trustOf({ issuer: issuer.issuer, jwksUri: "https://[/jwks" })]);
  assert.equal(await outcomeOf(running, await issuer.machineToken()), "503 IDENTITY_UNAVAILABLE");
});
