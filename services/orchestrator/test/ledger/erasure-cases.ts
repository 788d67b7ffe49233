import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "@soma/kit/digest";
import type { Ledger } from "../../src/ledger/ledger.ts";
import type { OpenLedger } from "./ledger-suite.ts";
import { code } from "./refusal.ts";
import { openingOf } from "./sample-events.ts";

const one = { tenant: "tenant-a", user: "user-1" };
const other = { tenant: "tenant-a", user: "user-2" };

async function textOf(ledger: Ledger, subject: typeof one, text: string): Promise<string | undefined> {
  const bytes = await ledger.readContent({ ...subject, digest: sha256(text) });
  return bytes && Buffer.from(bytes).toString("utf8");
}

const start = (ledger: Ledger, session_id: string, text: string, { user } = one) =>
  ledger.openSession(openingOf({ tenant: "tenant-a", session_id }, text, [], user));

export function describeErasure(open: OpenLedger): void {
  test("an erased subject's texts are gone for every process at once, another's are not, and no statement brings a key back", async () => {
    await using store = await open();
    const second = await store.reopen();
    await start(store.ledger, "sess-1", "a secret");
    await start(store.ledger, "sess-2", "a secret", other);
    // Both processes hold the key in memory.
    assert.equal(await textOf(second, one, "a secret"), "a secret");
    assert.equal(await textOf(store.ledger, one, "a secret"), "a secret");
    assert.equal(await store.ledger.contentKeys.destroy(one), 1);
    await assert.rejects(textOf(store.ledger, one, "a secret"), code("CONTENT_ERASED"));
    await assert.rejects(textOf(second, one, "a secret"), code("CONTENT_ERASED"));
    assert.equal(await textOf(second, other, "a secret"), "a secret");
    assert.equal(await store.ledger.contentKeys.destroy(one), 0, "once");
    await assert.rejects(
      store.sql(
        "UPDATE content_keys SET wrapped = (SELECT k.wrapped FROM content_keys k WHERE k.user_id = 'user-2'), master_key_id = 'x', destroyed_at = NULL WHERE user_id = 'user-1'",
      ),
      /stays so/,
    );
  });

  test("who comes back gets a new key, also from a process that still remembers the old one, and the same words are readable again", async () => {
    await using store = await open();
    const second = await store.reopen();
    await start(store.ledger, "sess-1", "hello");
    await start(second, "sess-2", "of the second process");
    await store.ledger.contentKeys.destroy(one);
    await start(second, "sess-3", "hello");
    assert.equal(await textOf(second, one, "hello"), "hello");
    assert.equal(await textOf(store.ledger, one, "hello"), "hello");
    await assert.rejects(textOf(second, one, "of the second process"), code("CONTENT_ERASED"));
    const keys = await store.sql("SELECT generation, wrapped IS NULL AS gone FROM content_keys ORDER BY generation");
    assert.deepEqual(
      keys.map((row) => [row["generation"], Number(row["gone"])]),
      [
        [1, 1],
        [2, 0],
      ],
    );
  });

  test("of a subject with a rotated key, both are destroyed", async () => {
    await using store = await open();
    await start(store.ledger, "sess-1", "first");
    await store.ledger.contentKeys.rotate({ renew: true });
    const next = await store.reopen();
    await start(next, "sess-2", "second");
    assert.equal(await next.contentKeys.destroy(one), 2);
    for (const text of ["first", "second"]) await assert.rejects(textOf(next, one, text), code("CONTENT_ERASED"));
  });

  test("an idempotency key has one request and, from its end on, one answer for a day", async () => {
    let now = new Date("2026-03-01T00:00:00.000Z");
    await using store = await open({ now: () => now });
    const { answers } = store.ledger;
    const request = { tenant: "tenant-a", key: "k", requestDigest: sha256("a") };
    assert.equal(await answers.begin(request), undefined);
    assert.equal(await answers.begin(request), undefined, "it broke off: it is done again");
    await assert.rejects(answers.begin({ ...request, requestDigest: sha256("b") }), code("IDEMPOTENCY_KEY_REUSED"));
    await answers.keep({ ...request, answer: "1" });
    await answers.keep({ ...request, answer: "2" });
    assert.equal(await (await store.reopen()).answers.begin(request), "1");
    assert.equal(await answers.begin({ ...request, tenant: "tenant-b" }), undefined, "another tenant's is another");
    now = new Date("2026-03-02T00:00:00.000Z");
    assert.equal(await answers.begin({ ...request, requestDigest: sha256("b") }), undefined);
  });
}
