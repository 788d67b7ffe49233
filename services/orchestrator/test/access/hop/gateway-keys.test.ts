import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "@soma/kit/config";
import { decodeProtectedHeader } from "jose";
import { openHopSigner } from "../../../../gateway/src/hop/hop-signer.ts";
import { GatewayKeys } from "../../../src/access/hop/gateway-keys.ts";
import { UsedHops } from "../../../src/access/hop/used-hops.ts";

/** Two gateways' keys, as they publish them, and a file that the orchestrator reads. */
async function twoGateways() {
  const folder = mkdtempSync(join(tmpdir(), "soma-keys-"));
  const gateways = await Promise.all(
    ["a", "b"].map(async (name) => {
      const sign = await openHopSigner(join(folder, name));
      const { kid } = decodeProtectedHeader(await sign({ method: "GET", path: "/", body: "" }));
      return { kid: kid ?? "", line: readFileSync(join(folder, `${name}.pub`), "utf8") };
    }),
  );
  const file = join(folder, "keys");
  let writes = 0;
  return {
    file,
    gateways,
    /** Written aside and put in place, as an operator's tools do. */
    write(text: string) {
      writes += 1;
      writeFileSync(`${file}.${String(writes)}`, text);
      renameSync(`${file}.${String(writes)}`, file);
    },
    [Symbol.dispose]: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

test("keys are one a line, in any number, or a key set", async () => {
  using world = await twoGateways();
  const [a, b] = world.gateways;
  assert.ok(a && b);
  const set = JSON.stringify({ keys: [JSON.parse(a.line), JSON.parse(b.line)] }, undefined, 2);
  for (const text of [a.line + b.line, `\n${a.line}\n\n${b.line}`, set]) {
    world.write(text);
    const keys = new GatewayKeys(world.file);
    await keys.load();
    assert.ok(await keys.find(a.kid));
    assert.ok(await keys.find(b.kid));
    assert.equal(await keys.find("other"), undefined);
  }
});

test("a key is added and taken away while it runs; a spoilt file changes nothing", async () => {
  using world = await twoGateways();
  const [a, b] = world.gateways;
  assert.ok(a && b);
  let now = 0;
  const keys = new GatewayKeys(world.file, () => now);
  await keys.load();
  assert.equal(await keys.find(a.kid), undefined, "the gateway has not started yet");

  world.write(a.line);
  now += 1_000;
  assert.ok(await keys.find(a.kid));
  world.write(a.line + b.line);
  assert.equal(await keys.find(b.kid), undefined, "not looked at again within a second");
  now += 1_000;
  assert.ok(await keys.find(b.kid));
  world.write(b.line);
  now += 1_000;
  assert.equal(await keys.find(a.kid), undefined);
  world.write("{ half a fi");
  now += 1_000;
  assert.ok(await keys.find(b.kid));
});

test("at the start a file with something else in it stops it, and is not shown", async () => {
  using world = await twoGateways();
  const [a] = world.gateways;
  assert.ok(a);
  const rsa = '{"kty":"RSA","n":"secret-modulus","e":"AQAB"}';
  for (const text of ["nonsense", a.line + rsa, `{"keys":[${rsa}]}`, "[]", '{"kty":"OKP","crv":"X25519","x":"AA"}']) {
    world.write(text);
    await assert.rejects(new GatewayKeys(world.file).load(), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /^GATEWAY_PUBLIC_KEY_FILE .* accepted: Ed25519 public keys/);
      assert.ok(!error.message.includes("secret-modulus"));
      return true;
    });
  }
});

test("an id counts once, is remembered for its span at least, and forgotten after two", () => {
  let now = 0;
  const used = new UsedHops(20_000, 4, () => now);
  assert.equal(used.use("a"), true);
  now = 19_999;
  assert.equal(used.use("a"), false);
  assert.equal(used.use("b"), true);
  now = 39_998;
  assert.equal(used.use("b"), false, "19,999 ms later");
  now = 60_000;
  assert.equal(used.use("a"), true);
  assert.equal(used.use("b"), true);
  now = 200_000;
  for (const id of ["a", "b", "c", "d"]) assert.equal(used.use(id), true);
  assert.throws(() => used.use("e"), RangeError);
  now = 240_000;
  assert.equal(used.use("e"), true);
});
