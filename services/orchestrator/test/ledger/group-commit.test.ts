import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { GroupCommit } from "../../src/ledger/group-commit.ts";
import { code } from "./refusal.ts";

function openNotes() {
  const database = new DatabaseSync(":memory:");
  // A deferred constraint is judged by COMMIT: the one failure that comes when all the work is done.
  database.exec(`
    CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT UNIQUE,
      parent INTEGER REFERENCES notes (id) DEFERRABLE INITIALLY DEFERRED) STRICT`);
  const writes = new GroupCommit(database, { maxWaiting: 10, maxGroup: 4, timeoutMs: 1000, assertUsable: () => {} });
  const insert = database.prepare("INSERT INTO notes (text, parent) VALUES (?, ?)");
  const write = (text: string, parent: number | null = null): Promise<string> =>
    writes.submit(() => {
      insert.run(text, parent);
      return text;
    });
  const texts = (): unknown[] =>
    database
      .prepare("SELECT text FROM notes ORDER BY id")
      .all()
      .map(({ text }) => text);
  return { database, writes, write, texts };
}

test("no write of a group is acknowledged when its commit fails, and none is there", async () => {
  const { database, write, texts } = openNotes();
  const refused = (): Promise<string> => write("first");
  await write("zeroth");
  const outcomes = await Promise.allSettled([write("first"), write("orphan", 99), refused(), write("last")]);
  for (const outcome of outcomes) {
    assert.ok(outcome.status === "rejected" && code("AUDIT_UNAVAILABLE")(outcome.reason));
  }
  assert.deepEqual(texts(), ["zeroth"]);
  assert.equal(await write("after"), "after");
  database.close();
});

test("a write that fails by itself gets its own error and leaves no trace; the others are committed in order", async () => {
  const { database, writes, write, texts } = openNotes();
  const half = writes.submit(() => {
    database.exec("INSERT INTO notes (text) VALUES ('half')");
    throw new RangeError("own");
  });
  const outcomes = await Promise.allSettled([write("a"), half, write("a"), write("b"), write("c"), write("d")]);
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : outcome.reason.message.slice(0, 6))),
    ["a", "own", "UNIQUE", "b", "c", "d"],
  );
  assert.deepEqual(texts(), ["a", "b", "c", "d"]);
  database.close();
});

test("closing finishes what waits and refuses what comes after", async () => {
  const { database, writes, write, texts } = openNotes();
  const waiting = ["a", "b", "c", "d", "e", "f"].map((text) => write(text));
  const closing = writes.close();
  await assert.rejects(write("late"), code("AUDIT_UNAVAILABLE"));
  await closing;
  assert.deepEqual(texts(), ["a", "b", "c", "d", "e", "f"]);
  await Promise.all(waiting);
  database.close();
});
