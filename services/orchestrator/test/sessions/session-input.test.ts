import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import { createdEvent } from "../../src/sessions/created-event.ts";
import { assertMetadata, readPrompt, capsuleOf, labelsOf, readSessionInput } from "../../src/sessions/session-input.ts";

const good = { session_id: "sess-1", tenant: "tenant-a", user: "ann", prompt: "hello" };
const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });
const keys = (count: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${String(index)}`, index]));

/** For `assert.throws`: VALIDATION_FAILED that blames this field first. */
function blames(pointer: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof DomainError, String(error));
    assert.equal(error.code, "VALIDATION_FAILED");
    assert.equal(error.fields[0]?.pointer, pointer);
    return true;
  };
}

test("what a Temporal client sends is read as it is, and nothing that has no name gets on", () => {
  assert.deepEqual(readSessionInput(good), { ...good, metadata: {} });
  const full = { ...good, model: "org/model", metadata: { note: "x", labels: ["a"] } };
  assert.deepEqual(readSessionInput({ ...full, role: "admin", authn: "token", token: "canary" }), full);
});

const bad: readonly [title: string, input: unknown, pointer: string][] = [
  ["nothing", undefined, ""],
  ["a text", "hello", ""],
  ["no session id", { ...good, session_id: undefined }, "/session_id"],
  ["a session id with the workflow's prefix", { ...good, session_id: "session-x" }, "/session_id"],
  ["a session id with a path", { ...good, session_id: "../x" }, "/session_id"],
  ["a tenant that is none", { ...good, tenant: "a b" }, "/tenant"],
  ["a user that is none", { ...good, user: "" }, "/user"],
  ["an empty prompt", { ...good, prompt: "" }, "/prompt"],
  ["a prompt that is too long", { ...good, prompt: "x".repeat(102_401) }, "/prompt"],
  ["a prompt that is too long in bytes alone", { ...good, prompt: "é".repeat(51_201) }, "/prompt"],
  ["a prompt with half a surrogate pair", { ...good, prompt: "\ud800" }, "/prompt"],
  ["a model that is none", { ...good, model: "a b" }, "/model"],
  ["metadata that is a list", { ...good, metadata: [] }, "/metadata"],
  ["metadata of 65 keys", { ...good, metadata: keys(65) }, "/metadata"],
  ["metadata over 16 KiB", { ...good, metadata: { note: "x".repeat(16_384) } }, "/metadata"],
  ["metadata over 16 KiB in bytes alone", { ...good, metadata: { note: "é".repeat(8_190) } }, "/metadata"],
  ["metadata nested too deep", { ...good, metadata: nested(9) }, `/metadata${"/a".repeat(8)}`],
  ["metadata with half a surrogate pair", { ...good, metadata: { note: "\udc00" } }, "/metadata"],
  ["labels that are one text", { ...good, metadata: { labels: "a" } }, "/metadata/labels"],
  ["a label with a space", { ...good, metadata: { labels: ["a b"] } }, "/metadata/labels"],
  ["a label twice", { ...good, metadata: { labels: ["a", "a"] } }, "/metadata/labels"],
  ["a label that is too long", { ...good, metadata: { labels: ["x".repeat(65)] } }, "/metadata/labels"],
  ["17 labels", { ...good, metadata: { labels: Object.keys(keys(17)) } }, "/metadata/labels"],
  ["a capsule that is no text", { ...good, metadata: { capsule: 7 } }, "/metadata/capsule"],
  ["a capsule with a slash", { ...good, metadata: { capsule: "a/b" } }, "/metadata/capsule"],
];

for (const [title, input, pointer] of bad) {
  test(`${title} is refused and named`, () => {
    assert.throws(() => readSessionInput(input), blames(pointer));
  });
}

test("the refusal of a value does not repeat it", () => {
  for (const input of [
    { ...good, tenant: "canary value" },
    { ...good, prompt: `canary\ud800` },
    { ...good, metadata: { labels: ["canary value"] } },
    { ...good, metadata: { capsule: "canary/value" } },
  ]) {
    assert.throws(
      () => readSessionInput(input),
      (error) => error instanceof DomainError && !`${error.message}${JSON.stringify(error.fields)}`.includes("canary"),
    );
  }
});

test("each bound is taken to its edge", () => {
  readPrompt({ prompt: "x".repeat(102_400) });
  readPrompt({ prompt: "é".repeat(51_200) });
  assertMetadata(keys(64));
  assertMetadata({ note: "x".repeat(16_384 - '{"note":""}'.length) });
  assert.throws(() => assertMetadata({ note: "x".repeat(16_385 - '{"note":""}'.length) }), blames("/metadata"));
  assertMetadata({ a: nested(7) });
  assertMetadata({ labels: Object.keys(keys(16)), capsule: "x".repeat(128) });
  assertMetadata({ labels: ["x".repeat(64)] });
});

test("labels and capsule are read from metadata, and none are none", () => {
  assert.deepEqual(labelsOf({}), []);
  assert.deepEqual(labelsOf({ labels: ["team:a", "v1.0", "k=v", "a/b"] }), ["team:a", "v1.0", "k=v", "a/b"]);
  assert.equal(capsuleOf({}), undefined);
  assert.equal(capsuleOf({ capsule: "writer@1.2" }), "writer@1.2");
});

test("P8: the first event names the prompt and the metadata by digest, and the texts go to the content store", () => {
  const session = readSessionInput({ ...good, prompt: "canary-prompt", metadata: { note: "canary-note", b: 1 } });
  const { created, contents } = createdEvent(session, { role: "operator", authn: "token", taskQueue: "queue" });
  assert.ok(!JSON.stringify(created).includes("canary"));
  assert.equal(created.data.prompt_digest, sha256("canary-prompt"));
  assert.equal(created.data.metadata_digest, sha256('{"b":1,"note":"canary-note"}'));
  assert.equal(created.agent, "session-agent");
  assert.deepEqual(
    contents.map(({ tenant, mediaType, bytes }) => [tenant, mediaType, Buffer.from(bytes).toString()]),
    [
      ["tenant-a", "text/plain; charset=utf-8", "canary-prompt"],
      ["tenant-a", "application/json", '{"b":1,"note":"canary-note"}'],
    ],
  );
});
