import assert from "node:assert/strict";
import { test } from "node:test";
import { ApplicationFailure, defaultPayloadConverter, type Payload } from "@temporalio/common";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { failureConverter } from "../../src/temporal/failure-converter.ts";
import { SessionCodec } from "../../src/temporal/payload-codec.ts";
import { SessionSubjects } from "../../src/temporal/session-subjects.ts";
import { openSession } from "../harness/sessions.ts";
import { code } from "../ledger/refusal.ts";
import { openTemporaryLedger } from "../ledger/sqlite-store.ts";

const namespace = "default";
const context = (id: string) => ({ type: "workflow", namespace, workflowId: `session-${id}` }) as const;
const secret = "a word that nobody may read";

function codecOf(ledger: Ledger, unknown: "plain" | "refuse" = "plain", at = namespace): SessionCodec {
  return new SessionCodec({ namespace: at, sessions: new SessionSubjects(ledger), keys: ledger.contentKeys, unknown });
}

const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = (payload: Payload | undefined): unknown => payload && defaultPayloadConverter.fromPayload(payload);
const textOf = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString();

test("a session's payload is encrypted, names its key and its workflow, and comes back as it was", async () => {
  await using store = await openTemporaryLedger();
  await openSession(store.ledger);
  const [sealed] = await codecOf(store.ledger).encode([payloadOf({ secret })], context("sess-1"));
  assert.ok(sealed);
  assert.ok(!textOf(sealed.data).includes("nobody"));
  assert.deepEqual(
    Object.entries(sealed.metadata ?? {}).map(([name, bytes]) => [name, textOf(bytes).replace(/[0-9a-f-]{36}/, "…")]),
    [
      ["encoding", "binary/encrypted"],
      ["encryption-key-id", "ck_…"],
      ["soma-workflow-id", "session-sess-1"],
    ],
  );
  // Another process, also where Temporal names no workflow.
  const other = codecOf(await store.reopen());
  for (const known of [context("sess-1"), undefined]) {
    const [opened] = await other.decode([sealed], known);
    assert.deepEqual(valueOf(opened), { secret });
    assert.equal(textOf(opened?.metadata?.["encoding"]), "json/plain");
  }
});

test("a payload that was moved to another workflow or namespace, or changed, is not opened", async () => {
  await using store = await openTemporaryLedger();
  await openSession(store.ledger);
  await openSession(store.ledger, { session_id: "sess-2" });
  const codec = codecOf(store.ledger);
  const [sealed] = await codec.encode([payloadOf(secret)], context("sess-1"));
  assert.ok(sealed?.data && sealed.metadata);
  await assert.rejects(codec.decode([sealed], context("sess-2")), code("CONTENT_UNREADABLE"));
  const relabeled = { ...sealed, metadata: { ...sealed.metadata, "soma-workflow-id": Buffer.from("session-sess-2") } };
  await assert.rejects(codec.decode([relabeled], context("sess-2")), code("CONTENT_UNREADABLE"));
  await assert.rejects(codecOf(store.ledger, "plain", "other").decode([sealed]), code("CONTENT_UNREADABLE"));
  const changed = Buffer.from(sealed.data);
  changed[20] = (changed[20] ?? 0) ^ 1;
  await assert.rejects(codec.decode([{ ...sealed, data: changed }], context("sess-1")), code("CONTENT_UNREADABLE"));
});

test("a session that a Temporal client began is answered in clear; a workflow nobody knows is, too, but never by the API", async () => {
  await using store = await openTemporaryLedger();
  await openSession(store.ledger, { session_id: "foreign" }, { authn: "temporal-client" });
  const payload = payloadOf(secret);
  assert.deepEqual(await codecOf(store.ledger).encode([payload], context("foreign")), [payload]);
  assert.deepEqual(await codecOf(store.ledger).decode([payload], context("foreign")), [payload]);
  const codec = codecOf(store.ledger);
  assert.deepEqual(await codec.encode([payload], context("later")), [payload]);
  await assert.rejects(
    codecOf(store.ledger, "refuse").encode([payload], context("later")),
    code("CONTENT_KEY_UNAVAILABLE"),
  );
  // Not known is not remembered: as soon as the session is there, its key is used.
  await openSession(store.ledger, { session_id: "later" });
  const [sealed] = await codec.encode([payload], context("later"));
  assert.ok(!textOf(sealed?.data).includes("nobody"));
});

test("a failure keeps its type in clear and its words, its cause's too, in payloads that are encrypted", async () => {
  await using store = await openTemporaryLedger();
  await openSession(store.ledger);
  const codec = codecOf(store.ledger);
  const error = ApplicationFailure.create({
    message: secret,
    type: "MODEL_NOT_FOUND",
    cause: new Error(`the cause: ${secret}`),
  });
  const failure = failureConverter.errorToFailure(error, defaultPayloadConverter);
  assert.equal(failure.applicationFailureInfo?.type, "MODEL_NOT_FOUND");
  assert.deepEqual([failure.message, failure.stackTrace], ["Encoded failure", ""]);
  assert.deepEqual([failure.cause?.message, failure.cause?.stackTrace], ["Encoded failure", ""]);
  const [sealed] = await codec.encode([failure.encodedAttributes ?? {}], context("sess-1"));
  const [opened] = await codec.decode([sealed ?? {}], context("sess-1"));
  const back = failureConverter.failureToError(
    { ...failure, encodedAttributes: opened ?? null },
    defaultPayloadConverter,
  );
  assert.ok(back instanceof ApplicationFailure);
  assert.deepEqual([back.message, back.type], [secret, "MODEL_NOT_FOUND"]);
});

test("a failure whose key cannot be had leaves without its words; a result does not leave at all", async () => {
  await using store = await openTemporaryLedger();
  await openSession(store.ledger);
  const codec = codecOf(store.ledger);
  const { encodedAttributes } = failureConverter.errorToFailure(new Error(secret), defaultPayloadConverter);
  await store.ledger.close();
  for (const known of [context("sess-1"), undefined]) {
    const [payload] = await codec.encode([encodedAttributes ?? {}], known);
    assert.deepEqual(valueOf(payload), {
      message: "The failure's text could not be encrypted and was left out.",
      stack_trace: "",
    });
  }
  await assert.rejects(codec.encode([payloadOf(secret)], context("sess-1")), code("AUDIT_UNAVAILABLE"));
  await assert.rejects(codec.encode([payloadOf(secret)]), code("CONTENT_KEY_UNAVAILABLE"));
});

test("a session costs the codec of a process two reads of the ledger, however many payloads it has", async () => {
  await using store = await openTemporaryLedger();
  await openSession(store.ledger);
  const reads: string[] = [];
  const counted = {
    tenantOf: (id: string) => {
      reads.push("tenantOf");
      return store.ledger.tenantOf(id);
    },
    findSession: (key: { tenant: string; sessionId: string }) => {
      reads.push("findSession");
      return store.ledger.findSession(key);
    },
  };
  const sessions = new SessionSubjects(counted);
  const codec = new SessionCodec({ namespace, sessions, keys: store.ledger.contentKeys, unknown: "refuse" });
  const payloads = Array.from({ length: 50 }, (_, index) => payloadOf(index));
  const sealed = await codec.encode(payloads, context("sess-1"));
  await Promise.all(sealed.map((payload) => codec.decode([payload], context("sess-1"))));
  assert.deepEqual(reads, ["tenantOf", "findSession"]);
});
