import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import { ask, packText, startEngine, until, type Engine } from "./engine.ts";

const strict = `
  - { id: no-hello, actions: [model.complete], terms: [hello], effect: deny, score: 1, severity: high, reason: greets }
`;
const strictPack = packText({
  name: "Strict pack",
  rules: strict,
  examples: "\n  - { name: n, request: { user: u, role: operator, prompt: hello }, expect: { allowed: false } }\n",
});
const allowed = async ({ app }: Engine): Promise<boolean> => (await ask(app)).json().allowed;
const version = async ({ app }: Engine): Promise<string> => (await ask(app)).json().policy_version;
const packs = async ({ app }: Engine) => (await app.inject("/v1/packs")).json().packs;

test("a changed pack decides soon after it was written", async (t) => {
  const engine = await startEngine(t, { "t1.yaml": packText() });
  assert.equal(await allowed(engine), true);
  const before = await version(engine);
  engine.write("t1.yaml", strictPack);
  await until("the new pack denies", async () => !(await allowed(engine)));
  assert.notEqual(await version(engine), before);
  engine.write("t1.yaml", packText());
  await until("the old pack is back", async () => (await version(engine)) === before);
  // More than two changes: the slots of Cedar's cache are used again.
  engine.write("t1.yaml", strictPack);
  await until("denied again", async () => !(await allowed(engine)));
});

test("a save by rename, as editors do it, is noticed each time", async (t) => {
  const engine = await startEngine(t, { "t1.yaml": packText() });
  for (const [text, expected] of [
    [strictPack, false],
    [packText(), true],
    [strictPack, false],
  ] as const) {
    engine.write(".t1.yaml.swp", text);
    renameSync(join(engine.directory, ".t1.yaml.swp"), join(engine.directory, "t1.yaml"));
    await until(`allowed is ${String(expected)}`, async () => (await allowed(engine)) === expected);
  }
});

test("a bad pack is refused with line and reason in log, metric and listing, and the old one stays", async (t) => {
  const engine = await startEngine(t, { "t1.yaml": packText() });
  const before = await version(engine);
  engine.write("t1.yaml", packText({ threshold: "7" }));
  await until("the refusal is logged", () => engine.logged().includes("the one before stays active"));
  const lines = engine
    .logged()
    .trim()
    .split("\n")
    .map((line): Record<string, unknown> => JSON.parse(line));
  const refusal = lines.find(({ level }) => level === "error");
  assert.deepEqual(
    [refusal?.["file"], refusal?.["tenant"], refusal?.["line"], refusal?.["reason"]],
    ["t1.yaml", "t1", 9, "threshold: must be <= 1"],
  );
  assert.match((await engine.app.inject("/metrics")).body, /soma_policy_pack_loads_total\{result="refused",.*\} 1\n/);
  assert.equal(await allowed(engine), true);
  assert.equal(await version(engine), before);
  const [listed] = await packs(engine);
  assert.equal(listed.active.policy_version, before);
  assert.deepEqual(listed.last_refusal.problems, [{ line: 9, reason: "threshold: must be <= 1" }]);
  // Going back to what is active ends the refusal.
  engine.write("t1.yaml", packText());
  await until("the refusal is gone", async () => (await packs(engine))[0].last_refusal === undefined);
});

test("a pack whose example fails does not get to decide, not even for a moment", async (t) => {
  const engine = await startEngine(t, { "t1.yaml": packText() });
  engine.write("t1.yaml", packText({ rules: strict }));
  await until("refused", () => engine.logged().includes("example 'smoke': expected allowed true, found false"));
  assert.equal(await allowed(engine), true);
});

test("the policies of a refused pack never decide", async (t) => {
  const engine = await startEngine(t, { "t1.yaml": packText() });
  const policies = `    all-but-smoke: permit (principal, action, resource) when { context.prompt_chars != 5 };\n`;
  engine.write("t1.yaml", packText({ policies }));
  await until("refused", () => engine.logged().includes("example 'smoke': expected allowed true, found false"));
  assert.equal(await allowed(engine), true);
  assert.equal((await ask(engine.app, { role: "viewer", prompt: "hi" })).json().allowed, false);
});

test("a tenant whose first pack is bad is denied", async (t) => {
  const engine = await startEngine(t, { "t1.yaml": packText({ threshold: "7" }) });
  const decision = (await ask(engine.app)).json();
  assert.deepEqual([decision.allowed, decision.severity, decision.policy_version], [false, "critical", "none"]);
  assert.match(engine.logged(), /whom it is for has none and is denied/);
});

test("what is refused is reported once, not at each poll", async (t) => {
  const engine = await startEngine(t, { "t1.yaml": packText({ threshold: "7" }) }, { pollMs: 20 });
  await setTimeout(200);
  assert.equal(engine.logged().split("pack refused").length, 2);
});

test("after close nothing is watched or read any more", async (t) => {
  const engine = await startEngine(t, { "t1.yaml": packText() }, { pollMs: 20 });
  await engine.app.close();
  engine.write("t1.yaml", strictPack);
  await setTimeout(200);
  assert.equal(engine.logged().split("pack activated").length, 2);
});

test("a removed pack denies its tenant from then on", async (t) => {
  const engine = await startEngine(t, { "t1.yaml": packText(), "t2.yaml": packText({ tenant: "t2" }) });
  rmSync(join(engine.directory, "t1.yaml"));
  await until("t1 is denied", async () => !(await allowed(engine)));
  assert.equal((await ask(engine.app, { tenant: "t2" })).json().allowed, true);
  assert.match((await engine.app.inject("/metrics")).body, /soma_policy_pack_loads_total\{result="removed",.*\} 1\n/);
  engine.write("t1.yaml", packText());
  await until("t1 is allowed again", () => allowed(engine));
});

test("files that are no packs are left alone, and what only looks like one is refused", async (t) => {
  const engine = await startEngine(t, {
    "README.md": "x",
    ".hidden.yaml": "x",
    "t1.yaml~": "x",
    "t1.yaml": packText(),
  });
  mkdirSync(join(engine.directory, "t3.yaml"));
  await until("the directory is refused", () => engine.logged().includes("is not a regular file"));
  assert.deepEqual(
    (await packs(engine)).map(({ tenant }: { tenant: string }) => tenant),
    ["t1", "t3"],
  );
  assert.equal(await allowed(engine), true);
});

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "policy-reload-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test("not ready while the directory cannot be read; packs and readiness come with it", async (t) => {
  const directory = join(temporaryDirectory(t), "later");
  const engine = await startEngine(t, {}, { directory, pollMs: 30 });
  const notReady = await engine.app.inject("/ready");
  assert.equal(notReady.statusCode, 503);
  assert.equal(notReady.json().missing[0].name, "pack directory");
  assert.equal(await allowed(engine), false);
  await setTimeout(200);
  mkdirSync(directory);
  await until("ready although empty", async () => (await engine.app.inject("/ready")).statusCode === 200);
  engine.write("t1.yaml", packText());
  await until("the pack decides", () => allowed(engine));
  assert.equal(engine.logged().split("the pack directory cannot be read").length, 2, "logged once, not at each poll");
});

test("a directory that is swapped by a symbolic link, as mounts are, is noticed by the poll", async (t) => {
  const root = temporaryDirectory(t);
  for (const [name, text] of [
    ["one", packText()],
    ["two", strictPack],
  ] as const) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, "t1.yaml"), text);
  }
  symlinkSync(join(root, "one"), join(root, "current"));
  const engine = await startEngine(t, {}, { directory: join(root, "current"), pollMs: 30 });
  assert.equal(await allowed(engine), true);
  symlinkSync(join(root, "two"), join(root, "next"));
  renameSync(join(root, "next"), join(root, "current"));
  await until("the other directory decides", async () => !(await allowed(engine)));
});
