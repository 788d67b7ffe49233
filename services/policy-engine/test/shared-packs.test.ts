import assert from "node:assert/strict";
import { test } from "node:test";
import { loadPack } from "../src/packs/load-pack.ts";
import { ask, packText, startEngine, until, type Engine } from "./engine.ts";

/** The small good pack, as one that tenants share. */
const shared = (name: string, parts: Parameters<typeof packText>[0] = {}): string =>
  packText(parts).replace("tenant: t1", `pack: ${name}`);
const denyHello = {
  rules: `
  - { id: no-hello, actions: [model.complete], terms: [hello], effect: deny, score: 1, severity: high, reason: greets }
`,
  examples: "\n  - { name: n, request: { user: u, role: operator, prompt: hello }, expect: { allowed: false } }\n",
};

const decide = async ({ app }: Engine, tenant: string, pack?: string) =>
  (await ask(app, { tenant, ...(pack !== undefined && { pack }) })).json();

test("a tenant without a pack of its own is decided for by the shared one that it names, and by no other", async (t) => {
  const engine = await startEngine(t, { "_open.yaml": shared("open"), "t1.yaml": packText() });
  assert.equal((await decide(engine, "t2", "open")).allowed, true);
  assert.equal((await decide(engine, "t2")).allowed, false);
  assert.equal((await decide(engine, "t2", "unheard-of")).allowed, false);
  // Another tenant's pack under each name that could mean it, and the shared one's file name.
  for (const pack of ["t1", "t1.yaml", "_open", "..", "open.yaml"])
    assert.notEqual((await ask(engine.app, { tenant: "t2", pack })).json().allowed, true, pack);
  assert.equal((await decide(engine, "open")).allowed, false);
});

test("a pack that names the tenant goes before, also a stricter one, and also while it is refused", async (t) => {
  const engine = await startEngine(t, {
    "_open.yaml": shared("open"),
    "t1.yaml": packText(denyHello),
    "t3.yaml": packText({ tenant: "t3", threshold: "7" }),
  });
  const own = await decide(engine, "t1", "open");
  assert.equal(own.allowed, false);
  assert.match(own.reasons.join(), /rule no-hello/);
  assert.deepEqual((await decide(engine, "t3", "open")).reasons, ["no policy pack is active for this tenant"]);
});

test("a shared pack changes and goes as others do, and the list tells it from a tenant's", async (t) => {
  const engine = await startEngine(t, { "_open.yaml": shared("open"), "t1.yaml": packText() });
  const { packs } = (await engine.app.inject("/v1/packs")).json();
  assert.deepEqual(
    packs.map(({ tenant, pack, file }: Record<string, unknown>) => [tenant, pack, file]),
    [
      [undefined, "open", "_open.yaml"],
      ["t1", undefined, "t1.yaml"],
    ],
  );
  engine.write("_open.yaml", shared("open", denyHello));
  await until("the new pack denies", async () => !(await decide(engine, "t2", "open")).allowed);
  assert.equal((await decide(engine, "t1")).allowed, true);
});

const refused: readonly [title: string, file: string, text: string, line: number, reason: RegExp][] = [
  ["a shared pack under another name", "_other.yaml", shared("open"), 2, /^pack: the file must be named _open\.yaml/],
  ["a shared pack under a tenant's name", "open.yaml", shared("open"), 2, /^pack: the file must be named _open\.yaml/],
  ["a tenant's under a shared one's", "_t1.yaml", packText(), 2, /^tenant: the file must be named t1\.yaml/],
  ["one of both", "t1.yaml", `${packText()}pack: open\n`, 14, /^pack: cannot stand beside tenant/],
  ["one of neither", "t1.yaml", packText().replace("tenant: t1\n", ""), 1, /^tenant: is required, or pack/],
  [
    "users in a shared pack",
    "_open.yaml",
    shared("open", { authorization: "  groups:\n    night-shift: [ann]\n" }),
    8,
    /^authorization\.groups: a shared pack names no users/,
  ],
];
for (const [title, file, text, line, reason] of refused) {
  test(`refused: ${title}`, () => {
    const loaded = loadPack(file, Buffer.from(text), "shared-packs.test");
    assert.ok(!loaded.ok);
    const [problem] = loaded.problems;
    assert.match(problem?.reason ?? "", reason);
    assert.equal(problem?.line, line);
  });
}
