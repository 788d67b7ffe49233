import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { readMemoryConfig } from "../src/config.ts";
import {
  vectorSize,
  type MemoryStore,
  type MemoryWrite,
  type StoredKey,
  type Subject,
} from "../src/store/memory-store.ts";
import { openStore } from "../src/store/open-store.ts";
import { storeKinds, type StoreKind } from "./stores.ts";

const ann: Subject = { tenant: "tenant-demo", user: "ann" };
const bob: Subject = { tenant: "tenant-demo", user: "bob" };
const annElsewhere: Subject = { tenant: "tenant-acme", user: "ann" };
const now = 1_800_000_000_000;

for (const { name, skip, open } of storeKinds) {
  describe(`the store of memories in ${name}`, { skip }, () => {
    let kind: StoreKind;
    before(async () => {
      kind = await open();
    });
    after(() => kind[Symbol.asyncDispose]());

    /** Two processes' stores on one empty database. */
    async function openTwo(): Promise<AsyncDisposable & { readonly one: MemoryStore; readonly two: MemoryStore }> {
      const { settings } = await kind.newSite();
      const { store, embeddings } = readMemoryConfig(settings);
      const [one, two] = await Promise.all([openStore(store, embeddings.model), openStore(store, embeddings.model)]);
      return {
        one,
        two,
        async [Symbol.asyncDispose]() {
          await Promise.all([one.close(), two.close()]);
        },
      };
    }

    test("the nearest passages come first, of this subject alone, with the cosine as score", async () => {
      await using stores = await openTwo();
      const key = await keyOf(stores.one, ann);
      for (const [index, angle] of [0.9, 0.1, 0.5, 2.9].entries())
        await stores.one.write(writeOf(ann, key, `k${String(index)}`, [direction(angle)]), now);
      for (const other of [bob, annElsewhere])
        await stores.one.write(writeOf(other, await keyOf(stores.one, other), "k", [direction(0)]), now);
      const found = await stores.two.search(ann, direction(0), 3, now);
      assert.deepEqual(
        found.map(({ score }) => score.toFixed(4)),
        [0.1, 0.5, 0.9].map((angle) => Math.cos(angle).toFixed(4)),
      );
      const [far] = (await stores.two.search(ann, direction(0), 4, now)).slice(3);
      assert.ok(far !== undefined && far.score < -0.9);
    });

    test("of two first keys one stands, and both processes use it", async () => {
      await using stores = await openTwo();
      const keys = Array.from({ length: 8 }, () => newKey(ann));
      await Promise.all(keys.map((key, index) => (index % 2 === 0 ? stores.one : stores.two).insertKey(key)));
      const [first, second] = await Promise.all([stores.one.findKey(ann), stores.two.findKey(ann)]);
      assert.deepEqual(first?.keyId, second?.keyId);
      assert.ok(keys.some(({ keyId }) => keyId === first?.keyId));
      assert.equal(await stores.one.findKey(bob), undefined);
    });

    test("what was encrypted by a key that an erasure took away is not written", async () => {
      await using stores = await openTwo();
      const key = await keyOf(stores.one, ann);
      await stores.one.write(writeOf(ann, key, "a", [direction(0), direction(1)]), now);
      assert.deepEqual(await stores.two.erase(ann), { memories: 1, passages: 2, keys: 1 });
      assert.equal(await stores.one.write(writeOf(ann, key, "b", [direction(0)]), now), "key_gone");
      await keyOf(stores.two, ann);
      assert.equal(await stores.one.write(writeOf(ann, key, "b", [direction(0)]), now), "key_gone");
      assert.deepEqual(await stores.one.list(ann, "", 10, now), []);
    });

    test("writes and erasures at once leave all of a memory or nothing", async () => {
      await using stores = await openTwo();
      for (let round = 0; round < 10; round += 1) {
        const key = await keyOf(stores.one, ann);
        const writes = Array.from({ length: 6 }, (_, index) =>
          (index % 2 === 0 ? stores.one : stores.two).write(
            writeOf(ann, key, `k${String(index)}`, [direction(0), direction(1), direction(2)]),
            now,
          ),
        );
        const [erased, ...outcomes] = await Promise.all([stores.two.erase(ann), ...writes]);
        const left = await stores.one.list(ann, "", 10, now);
        assert.equal(erased.keys, 1);
        assert.equal(erased.passages, erased.memories * 3);
        assert.equal(left.length, 0, "an erased subject has memories");
        assert.equal(outcomes.filter((outcome) => outcome === "created").length, erased.memories);
        assert.deepEqual(await stores.two.search(ann, direction(0), 20, now), []);
      }
    });

    test("an expired memory is no longer replaced, listed, found or counted, before any sweep", async () => {
      await using stores = await openTwo();
      const key = await keyOf(stores.one, ann);
      const write = writeOf(ann, key, "a", [direction(0)], { expiresAt: now + 10 });
      assert.equal(await stores.one.write(write, now), "created");
      assert.equal(
        await stores.one.write(writeOf(ann, key, "a", [direction(0)], { expiresAt: now + 10 }), now + 5),
        "replaced",
      );
      const bounded = { ...writeOf(ann, key, "b", [direction(0)]), bounds: { memories: 1, passages: 1 } };
      assert.equal(await stores.one.write(bounded, now + 5), "too_many_memories");
      assert.equal(await stores.one.find(ann, "a", now + 10), undefined);
      assert.deepEqual(await stores.one.list(ann, "", 10, now + 10), []);
      assert.deepEqual(await stores.one.search(ann, direction(0), 10, now + 10), []);
      assert.equal(await stores.one.write(bounded, now + 10), "created");
      const later = writeOf(ann, key, "a", [direction(0)], { createdAt: now + 11, expiresAt: now + 100 });
      assert.equal(await stores.one.write(later, now + 11), "created");
      assert.equal((await stores.one.find(ann, "a", now + 11))?.createdAt, now + 11);
      assert.equal(await stores.two.sweep(now + 100, 1), 1);
      assert.equal(await stores.two.sweep(now + 100, 1), 0);
      assert.equal((await stores.one.list(ann, "", 10, now)).length, 1);
    });

    test("a list goes through all of a subject page by page", async () => {
      await using stores = await openTwo();
      const key = await keyOf(stores.one, ann);
      for (let index = 0; index < 7; index += 1)
        await stores.one.write(writeOf(ann, key, `k${String(index)}`, [direction(index)]), now);
      for (const other of [bob, annElsewhere])
        await stores.one.write(writeOf(other, await keyOf(stores.one, other), "theirs", [direction(0)]), now);
      const seen: string[] = [];
      for (let last = ""; ;) {
        const page = await stores.two.list(ann, last, 3, now);
        if (page.length === 0) break;
        seen.push(...page.map(({ lookup }) => lookup));
        last = page.at(-1)?.id ?? "";
      }
      assert.deepEqual(seen.toSorted(), ["k0", "k1", "k2", "k3", "k4", "k5", "k6"]);
    });
  });
}

async function keyOf(store: MemoryStore, subject: Subject): Promise<StoredKey> {
  await store.insertKey(newKey(subject));
  const key = await store.findKey(subject);
  assert.ok(key);
  return key;
}

function newKey(subject: Subject): StoredKey {
  return { ...subject, keyId: randomUUID(), masterKeyId: "mk_1", wrapped: randomBytes(60) };
}

/** A unit vector at this angle to `direction(0)`. */
function direction(angle: number): Float32Array {
  const vector = new Float32Array(vectorSize);
  vector[0] = Math.cos(angle);
  vector[1] = Math.sin(angle);
  return vector;
}

function writeOf(
  subject: Subject,
  key: StoredKey,
  lookup: string,
  vectors: readonly Float32Array[],
  times: { readonly createdAt?: number; readonly expiresAt?: number } = {},
): MemoryWrite {
  const { createdAt = now } = times;
  return {
    subject,
    keyId: key.keyId,
    memory: {
      id: randomUUID(),
      lookup,
      sealed: randomBytes(40),
      content: lookup,
      passages: vectors.length,
      updatedAt: createdAt,
      createdAt,
      ...times,
    },
    passages: vectors.map((vector) => ({ sealed: randomBytes(40), vector })),
    bounds: { memories: 100, passages: 1_000 },
  };
}
