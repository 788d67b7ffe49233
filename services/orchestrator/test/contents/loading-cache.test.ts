import assert from "node:assert/strict";
import { test } from "node:test";
import { LoadingCache } from "../../src/contents/loading-cache.ts";

function give(value: string): () => Promise<string> {
  return () => Promise.resolve(value);
}

test("a value is loaded once for all who wait, kept for its time, and loaded again after it", async () => {
  let now = 0;
  let loads = 0;
  const cache = new LoadingCache<number>({ entries: 2, ageMs: 100 }, () => now);
  const load = (): Promise<number> => Promise.resolve((loads += 1));
  assert.deepEqual(await Promise.all([cache.get("a", load), cache.get("a", load)]), [1, 1]);
  now = 99;
  assert.equal(await cache.get("a", load), 1);
  now = 100;
  assert.equal(await cache.get("a", load), 2);
});

test("the least used of too many is forgotten, and a failed load is not kept", async () => {
  const cache = new LoadingCache<string>({ entries: 2, ageMs: 100 }, () => 0);
  await cache.get("a", give("a1"));
  await cache.get("b", give("b1"));
  await cache.get("a", give("a2"));
  await cache.get("c", give("c1"));
  assert.equal(await cache.get("a", give("a3")), "a1");
  assert.equal(await cache.get("b", give("b2")), "b2");
  await assert.rejects(
    cache.get("d", () => Promise.reject(new Error("down"))),
    /down/,
  );
  assert.equal(await cache.get("d", give("d1")), "d1");
});
