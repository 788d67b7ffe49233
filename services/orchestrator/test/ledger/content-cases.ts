import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "@soma/kit/config";
import { sha256 } from "@soma/kit/digest";
import { parseMasterKeys } from "../../src/contents/master-keys.ts";
import { newMasterKeys } from "../harness/master-keys.ts";
import { bytesOf, textOf } from "../../src/ledger/stored-row.ts";
import type { LedgerUnderTest, OpenLedger } from "./ledger-suite.ts";
import { code } from "./refusal.ts";
import { openingOf } from "./sample-events.ts";

const secret = "the rain in Spain falls mainly in the plain";
const digest = sha256(secret);
const one = { tenant: "tenant-a", user: "user-1" };
const other = { tenant: "tenant-a", user: "user-2" };

/** A session of each of two users of one tenant, with the same words. */
async function openTwo({ ledger }: LedgerUnderTest): Promise<void> {
  await ledger.openSession(openingOf({ tenant: "tenant-a", session_id: "sess-1" }, secret, [], one.user));
  await ledger.openSession(openingOf({ tenant: "tenant-a", session_id: "sess-2" }, secret, [], other.user));
}

async function read(ledger: LedgerUnderTest["ledger"], subject = one): Promise<string | undefined> {
  const bytes = await ledger.readContent({ ...subject, digest });
  return bytes && Buffer.from(bytes).toString("utf8");
}

/** As versions before encryption left it: one row of a tenant's text, whoever's it is. */
async function putPlain(store: LedgerUnderTest): Promise<void> {
  const hex = Buffer.from(secret).toString("hex");
  // The two dialects write a blob in two ways.
  const isPostgres = await store.sql("SELECT 1 FROM pg_catalog.pg_class LIMIT 1").then(
    () => true,
    () => false,
  );
  const bytes = isPostgres ? `decode('${hex}', 'hex')` : `x'${hex}'`;
  await store.sql("DELETE FROM contents");
  await store.sql("DELETE FROM content_keys");
  await store.sql("UPDATE content_encryption SET plain_gone_at = NULL");
  await store.sql(`INSERT INTO plain_contents VALUES ('tenant-a', '${digest}', 'text/plain', ${bytes})`);
  await store.sql(`INSERT INTO plain_contents VALUES ('tenant-a', '${sha256("nobody's")}', 'text/plain', ${bytes})`);
}

export function describeContents(open: OpenLedger): void {
  test("a text is stored encrypted, for each of two users apart, and read by its own user alone", async () => {
    await using store = await open();
    await openTwo(store);
    const rows = await store.sql("SELECT user_id, digest, key_id, sealed FROM contents ORDER BY user_id");
    assert.deepEqual(
      rows.map((row) => [row["user_id"], row["digest"]]),
      [
        ["user-1", digest],
        ["user-2", digest],
      ],
    );
    assert.equal(new Set(rows.map((row) => row["key_id"])).size, 2);
    for (const row of rows) {
      assert.ok(!Buffer.from(bytesOf(row, "sealed")).includes("Spain"));
      assert.match(textOf(row, "key_id"), /^ck_[0-9a-f-]{36}$/);
    }
    assert.equal(await read(store.ledger), secret);
    assert.equal(await read(await store.reopen(), other), secret);
    assert.equal(await read(store.ledger, { tenant: "tenant-a", user: "user-3" }), undefined);
  });

  test("a subject's first texts, written by two processes at once, share one key", async () => {
    await using store = await open();
    const second = await store.reopen();
    await Promise.all(
      [store.ledger, second].flatMap((ledger, place) =>
        ["a", "b"].map((name) =>
          ledger.openSession(
            openingOf({ tenant: "tenant-a", session_id: `sess-${place}-${name}` }, `${place} ${name}`),
          ),
        ),
      ),
    );
    assert.equal((await store.sql("SELECT DISTINCT key_id FROM contents")).length, 1);
    assert.equal((await store.sql("SELECT key_id FROM content_keys")).length, 1);
  });

  test("a text that was changed, or moved to another user, is CONTENT_UNREADABLE", async () => {
    await using store = await open();
    await openTwo(store);
    await store.sql(
      "UPDATE contents SET (key_id, sealed) = (SELECT c.key_id, c.sealed FROM contents c WHERE c.user_id = 'user-2') WHERE user_id = 'user-1'",
    );
    await assert.rejects(read(store.ledger), code("CONTENT_UNREADABLE"));
  });

  test("a destroyed key is CONTENT_ERASED for what it encrypted, and the subject's next text gets a new one", async () => {
    await using store = await open();
    await openTwo(store);
    await store.sql(
      "UPDATE content_keys SET wrapped = NULL, master_key_id = NULL, destroyed_at = 'now' WHERE user_id = 'user-1'",
    );
    const next = await store.reopen();
    await assert.rejects(read(next), code("CONTENT_ERASED"));
    assert.equal(await read(next, other), secret);
    await next.openSession(openingOf({ tenant: "tenant-a", session_id: "sess-3" }, "later"));
    const later = await next.readContent({ ...one, digest: sha256("later") });
    assert.equal(Buffer.from(later ?? []).toString(), "later");
  });

  test("without the master key the store is not opened, and the refusal names the setting and no key", async () => {
    const masterKeys = newMasterKeys();
    await using store = await open({ masterKeys });
    await openTwo(store);
    const wrong = newMasterKeys();
    await assert.rejects(store.reopen(wrong), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(
        error.message,
        /^CONTENT_MASTER_KEY lacks the master key mk_[0-9a-f]{16}, which wraps 2 content keys/,
      );
      assert.ok(!error.message.includes(wrong.current.key.toString("base64")));
      return true;
    });
    assert.equal(await read(await store.reopen(masterKeys)), secret);
  });

  test("an empty store takes the first master key that comes and no second one", async () => {
    await using store = await open({ masterKeys: newMasterKeys() });
    await assert.rejects(store.reopen(newMasterKeys()), ConfigError);
  });

  test("a rotation wraps all keys anew; then the new master key is enough and the old one is not", async () => {
    const old = newMasterKeys();
    await using store = await open({ masterKeys: old });
    await openTwo(store);
    const fresh = newMasterKeys();
    const textOfKeys = [fresh, old].map(({ current }) => current.key.toString("base64")).join("\n");
    const both = await store.reopen(parseMasterKeys("CONTENT_MASTER_KEY_FILE", textOfKeys));
    assert.equal(await read(both), secret);
    assert.deepEqual(await both.contentKeys.rotate({ renew: false }), { rewrapped: 2, renewed: 0 });
    assert.deepEqual(await both.contentKeys.rotate({ renew: false }), { rewrapped: 0, renewed: 0 });
    const after = await store.reopen(fresh);
    assert.equal(await read(after), secret);
    assert.equal(await read(after, other), secret);
    await assert.rejects(store.reopen(old), ConfigError);
    assert.equal((await store.sql("SELECT DISTINCT master_key_id FROM content_keys")).length, 1);
  });

  test("with new content keys, new texts use them and old texts stay readable", async () => {
    await using store = await open();
    await openTwo(store);
    assert.deepEqual(await store.ledger.contentKeys.rotate({ renew: true }), { rewrapped: 0, renewed: 2 });
    const next = await store.reopen();
    await next.openSession(openingOf({ tenant: "tenant-a", session_id: "sess-3" }, "later"));
    assert.equal(await read(next), secret);
    const rows = await store.sql(
      "SELECT generation FROM contents c JOIN content_keys k ON k.key_id = c.key_id WHERE c.user_id = 'user-1' ORDER BY 1",
    );
    assert.deepEqual(
      rows.map((row) => row["generation"]),
      [1, 2],
    );
  });

  test("texts that an older version left in clear are encrypted for each of their users before the store is used", async () => {
    await using store = await open();
    await openTwo(store);
    await putPlain(store);
    const [first, second] = await Promise.all([store.reopen(), store.reopen()]);
    assert.equal(await read(first), secret);
    assert.equal(await read(second, other), secret);
    assert.deepEqual(await store.sql("SELECT * FROM plain_contents"), []);
    assert.equal((await store.sql("SELECT digest FROM contents")).length, 2);
  });
}
