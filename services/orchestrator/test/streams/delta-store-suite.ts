import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SealedPiece } from "../../src/contents/content-vault.ts";
import type { DeltaStore } from "../../src/streams/delta-store.ts";

export interface DeltaStoreUnderTest extends AsyncDisposable {
  readonly store: DeltaStore;
  /** One more handle on it, as another process has. */
  reopen(): Promise<DeltaStore>;
}

const one = { tenant: "tenant-a", sessionId: "sess-1" };
const other = { tenant: "tenant-b", sessionId: "sess-2" };

function piece(offset: number, more: Partial<SealedPiece> = {}): SealedPiece {
  const sealed = Buffer.from([0, 255, offset]);
  return { ...one, user: "user-1", step: "completion-1", attempt: 1, offset, keyId: "ck_1", sealed, ...more };
}

const offsets = (pieces: readonly { readonly offset: number }[]): number[] => pieces.map(({ offset }) => offset);

/** What any store of running texts must hold; each one runs it. */
export function describeDeltaStore(name: string, open: () => Promise<DeltaStoreUnderTest>): void {
  describe(name, () => {
    test("what one process adds another reads, by session and by the tail, byte for byte and in order", async () => {
      await using world = await open();
      const reader = await world.reopen();
      await world.store.append("w1", [piece(0), piece(3)]);
      await world.store.append("w1", [piece(0, other), piece(7, { attempt: 1_000_001 })]);
      const [first, ...rest] = await reader.read(one);
      assert.ok(first);
      const { position, sealed, ...read } = first;
      const { sealed: written, ...expected } = piece(0);
      assert.deepEqual(read, expected);
      assert.deepEqual(Buffer.from(sealed), Buffer.from(written));
      assert.ok(position > 0);
      assert.deepEqual(offsets(rest), [3, 7]);
      assert.equal(rest[1]?.attempt, 1_000_001);
      const tail = await reader.tail({ after: 0, notOf: "w2", limit: 100 });
      assert.deepEqual(
        tail.map(({ tenant, offset }) => [tenant, offset]),
        [
          ["tenant-a", 0],
          ["tenant-a", 3],
          ["tenant-b", 0],
          ["tenant-a", 7],
        ],
      );
      assert.deepEqual(await reader.tail({ after: tail.at(-1)?.position ?? 0, notOf: "w2", limit: 100 }), []);
      assert.equal(await reader.lastPosition(), tail.at(-1)?.position);
    });

    test("the tail leaves out what its reader wrote himself, and comes in pages", async () => {
      await using world = await open();
      const { store } = world;
      await store.append("me", [piece(0), piece(1)]);
      await store.append("you", [piece(2), piece(3), piece(4)]);
      await store.append("me", [piece(5)]);
      const page = await store.tail({ after: 0, notOf: "me", limit: 2 });
      assert.deepEqual(offsets(page), [2, 3]);
      assert.deepEqual(offsets(await store.tail({ after: page[1]?.position ?? 0, notOf: "me", limit: 2 })), [4]);
    });

    test("a session is another tenant's by no name", async () => {
      await using world = await open();
      await world.store.append("w1", [piece(0)]);
      assert.deepEqual(await world.store.read({ ...one, tenant: "tenant-b" }), []);
      await world.store.remove([{ ...one, tenant: "tenant-b", step: "completion-1" }]);
      assert.equal((await world.store.read(one)).length, 1);
    });

    test("a step that has its outcome goes, alone; no position comes again", async () => {
      await using world = await open();
      const { store } = world;
      await store.append("w1", [piece(0), piece(0, { step: "completion-2" }), piece(0, other)]);
      const last = await store.lastPosition();
      await store.remove([
        { ...one, step: "completion-2" },
        { ...other, step: "completion-1" },
      ]);
      assert.deepEqual(
        (await store.read(one)).map(({ step }) => step),
        ["completion-1"],
      );
      assert.deepEqual(await store.read(other), []);
      await store.append("w1", [piece(9)]);
      assert.deepEqual(offsets(await store.tail({ after: last, notOf: "", limit: 10 })), [9]);
    });

    test("what is older than a time goes, of every tenant, and nothing younger", async () => {
      await using world = await open();
      const { store } = world;
      await store.append("w1", [piece(0), piece(0, other)]);
      await store.prune(new Date(Date.now() - 60_000));
      assert.equal((await store.read(one)).length, 1);
      await store.prune(new Date(Date.now() + 60_000));
      assert.deepEqual(await store.tail({ after: 0, notOf: "", limit: 10 }), []);
      assert.equal(await store.lastPosition(), 0);
    });

    test("writers at once: a reader who goes by positions misses no piece", { timeout: 30_000 }, async () => {
      await using world = await open();
      const stores = [world.store, await world.reopen(), await world.reopen()];
      const seen: string[] = [];
      let position = 0;
      let writing = true;
      const reading = (async () => {
        for (let more = true; more;) {
          more = writing;
          for (const stored of await world.store.tail({ after: position, notOf: "", limit: 500 })) {
            assert.ok(stored.position > position);
            position = stored.position;
            seen.push(`${stored.step}/${String(stored.offset)}`);
          }
        }
      })();
      await Promise.all(
        stores.map(async (store, writer) => {
          for (let offset = 0; offset < 60; offset += 2)
            await untilWritten(() =>
              store.append(`w${String(writer)}`, [
                piece(offset, { step: `s${String(writer)}` }),
                piece(offset + 1, { step: `s${String(writer)}`, ...(writer === 1 && { tenant: "tenant-b" }) }),
              ]),
            );
        }),
      );
      writing = false;
      await reading;
      assert.equal(seen.length, 180);
      assert.equal(new Set(seen).size, 180);
    });
  });
}

/** A lock that another holds for a moment is tried again, as the writer does with what comes next. */
async function untilWritten(write: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await write();
    } catch (error) {
      if (tries > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}
