import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { DependencyWatch, type WatchedDependency } from "../src/dependency-watch.ts";
import { createMetrics } from "../src/metrics.ts";
import { createTestLog } from "./log-lines.ts";

const intervalMs = 10;

/** A dependency that the test takes away and gives back. */
function switchable(name: string) {
  const dependency: WatchedDependency<string> & { up: boolean; asked: number } = {
    name,
    address: `${name}.test:1`,
    up: true,
    asked: 0,
    check() {
      dependency.asked += 1;
      return dependency.up ? Promise.resolve() : Promise.reject(new Error(`${name} is away`));
    },
  };
  return dependency;
}

function watchOf(...dependencies: readonly WatchedDependency<string>[]) {
  const logged = createTestLog();
  const metrics = createMetrics("test");
  const watch = new DependencyWatch(dependencies, {
    log: logged.log,
    up: metrics.dependencyUp,
    intervalMs,
    deadlineMs: 100,
  });
  const gauge = async (name: string): Promise<number | undefined> =>
    (await metrics.dependencyUp.get()).values.find(({ labels }) => labels.dependency === name)?.value;
  return { watch, gauge, ...logged, [Symbol.asyncDispose]: () => watch.stop() };
}

/** Long enough for several rounds of asking after the next one. */
async function rounds(dependency: { asked: number }, count = 4): Promise<void> {
  const until = dependency.asked + count;
  while (dependency.asked < until) await sleep(2);
}

test("what was never seen is missing, with its address, and so it is before the start", async () => {
  const ledger = switchable("ledger");
  const slm = switchable("slm");
  slm.up = false;
  await using watched = watchOf(ledger, slm);
  const { watch } = watched;
  assert.deepEqual(watch.missing(), [
    { name: "ledger", address: "ledger.test:1" },
    { name: "slm", address: "slm.test:1" },
  ]);
  assert.equal(watch.isUp("ledger"), false);
  await watch.start();
  assert.deepEqual(watch.missing(), [{ name: "slm", address: "slm.test:1" }]);
  assert.equal(watch.isUp("ledger"), true);
  assert.equal(watch.isUp("slm"), false);
});

test("each outage is logged once, naming which and where, and once more on return", async () => {
  const slm = switchable("slm");
  await using watched = watchOf(slm);
  const { watch, lines, gauge } = watched;
  await watch.start();
  await rounds(slm);
  assert.deepEqual(lines(), [], "nothing is said of what is there");
  assert.equal(await gauge("slm"), 1);
  for (const outage of [1, 2]) {
    slm.up = false;
    await rounds(slm);
    assert.deepEqual(watch.missing(), [{ name: "slm", address: "slm.test:1" }]);
    assert.equal(watch.isUp("slm"), false);
    assert.equal(await gauge("slm"), 0);
    assert.equal(lines().length, 2 * outage - 1);
    slm.up = true;
    await rounds(slm);
    assert.deepEqual(watch.missing(), []);
    assert.equal(await gauge("slm"), 1);
    assert.equal(lines().length, 2 * outage);
  }
  const [lost, back] = lines();
  assert.equal(lost?.["level"], "error");
  assert.equal(lost["msg"], "slm at slm.test:1 cannot be reached; waiting for it");
  assert.equal(lost["dependency"], "slm");
  assert.equal(lost["address"], "slm.test:1");
  assert.equal(Object(lost["err"]).message, "slm is away");
  assert.equal(back?.["level"], "info");
  assert.equal(back["msg"], "slm at slm.test:1 is back");
  assert.ok(Number(back["outage_ms"]) >= 0 && Number(back["outage_ms"]) < 10_000);
});

test("what is away at the start is logged at the start, once", async () => {
  const slm = switchable("slm");
  slm.up = false;
  await using watched = watchOf(slm);
  await watched.watch.start();
  await rounds(slm);
  assert.equal(watched.lines().length, 1);
});

test("one failed answer of what was there is no outage: it is asked again before it counts as lost", async () => {
  const slm = switchable("slm");
  await using watched = watchOf(slm);
  const { watch, lines } = watched;
  await watch.start();
  for (let round = 0; round < 2; round += 1) {
    slm.up = false;
    await rounds(slm, 1);
    slm.up = true;
    await rounds(slm, 3);
    assert.deepEqual(watch.missing(), []);
  }
  assert.deepEqual(lines(), []);
});

test("one that hangs is lost at its deadline and holds up no other", async () => {
  const ledger = switchable("ledger");
  let signaled = 0;
  const hanging: WatchedDependency<string> = {
    name: "slm",
    address: "slm.test:1",
    check: (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          signaled += 1;
          reject(new Error("no answer in time"));
        });
      }),
  };
  await using watched = watchOf(ledger, hanging);
  const begin = performance.now();
  await watched.watch.start();
  assert.ok(performance.now() - begin < 1_000);
  assert.ok(signaled >= 1);
  assert.deepEqual(
    watched.watch.missing().map(({ name }) => name),
    ["slm"],
  );
  await rounds(ledger, 6);
});

test("stop ends the asking at once, also in the middle of a question, and says nothing more", async () => {
  const ledger = switchable("ledger");
  let asked = 0;
  const asking = Promise.withResolvers<void>();
  const second: WatchedDependency<string> = {
    name: "slm",
    address: "slm.test:1",
    check(signal) {
      asked += 1;
      if (asked === 1) return Promise.resolve();
      asking.resolve();
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("stopped")));
      });
    },
  };
  const { watch, lines } = watchOf(ledger, second);
  await watch.start();
  await asking.promise;
  const begin = performance.now();
  await watch.stop();
  assert.ok(performance.now() - begin < 90, "it waited for the deadline of the question");
  const asksBefore = ledger.asked;
  await sleep(5 * intervalMs);
  assert.equal(ledger.asked, asksBefore);
  assert.equal(asked, 2);
  assert.deepEqual(lines(), [], "a question that the stop cut off is no outage");
});

test("stop between a first failure and the second question asks no more", async () => {
  const slm = switchable("slm");
  const { watch, lines } = watchOf(slm);
  await watch.start();
  slm.up = false;
  await rounds(slm, 1);
  await sleep(20);
  const asksBefore = slm.asked;
  await watch.stop();
  assert.equal(slm.asked, asksBefore);
  assert.deepEqual(lines(), []);
});
