import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import { createdEvent } from "../../src/sessions/created-event.ts";
import { assertMetadata, readPrompt, capsuleOf, labelsOf, readSessionInput } from "../../src/sessions/session-input.ts";
import { judgedText } from "../../src/sessions/session-prompt.ts";

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

test("messages and sampling stand in a prompt's place, and their digest binds each of them", () => {
  const { prompt: _prompt, ...who } = good;
  const messages = [
    { role: "system" as const, content: "Be brief." },
    { role: "user" as const, content: 'Say "hi"\nand stop.' },
  ];
  const asked = { ...who, messages, sampling: { temperature: 0, stop: ["x"] } };
  const session = readSessionInput(asked);
  assert.deepEqual(session, { ...asked, metadata: {} });
  const origin = { role: "operator", authn: "token" as const, taskQueue: "q" };
  const data = (input: unknown) => createdEvent(readSessionInput(input), origin).created.data;
  assert.equal(data(asked).prompt_format, "chat");
  const canonical =
    '{"messages":[{"content":"Be brief.","role":"system"},{"content":"Say \\"hi\\"\\nand stop.","role":"user"}],"sampling":{"stop":["x"],"temperature":0}}';
  assert.equal(data(asked).prompt_digest, sha256(canonical));
  const others = [
    { ...who, messages },
    { ...asked, sampling: { temperature: 0.5, stop: ["x"] } },
    { ...asked, messages: messages.toReversed() },
    { ...asked, messages: messages.map(({ content }) => ({ role: "user", content })) },
    { ...asked, messages: messages.slice(1) },
  ];
  const digests = [asked, ...others].map((input) => data(input).prompt_digest);
  assert.equal(new Set(digests).size, digests.length);
  // A prompt that is the very text of such a document is a prompt all the same, and says so.
  const plain = data({ ...who, prompt: canonical });
  assert.deepEqual([plain.prompt_digest, plain.prompt_format], [sha256(canonical), undefined]);
  // Every text, as it was written, whoever says it.
  assert.equal(judgedText(session), 'Be brief.\nSay "hi"\nand stop.');
  assert.equal(judgedText(readSessionInput(good)), "hello");
});

const message = { role: "user", content: "x" };
const bad: readonly [title: string, input: unknown, pointer: string][] = [
  ["nothing", undefined, ""],
  ["a text", "hello", ""],
  ["no session id", { ...good, session_id: undefined }, "/session_id"],
  ["a session id with the workflow's prefix", { ...good, session_id: "session-x" }, "/session_id"],
  ["a session id with a path", { ...good, session_id: "../x" }, "/session_id"],
  ["a tenant that is none", { ...good, tenant: "a b" }, "/tenant"],
  ["a user that is none", { ...good, user: "" }, "/user"],
  ["neither prompt nor messages", { ...good, prompt: undefined }, "/prompt"],
  ["prompt and messages", { ...good, messages: [message] }, "/messages"],
  ["sampling beside a prompt", { ...good, sampling: { seed: 1 } }, "/sampling"],
  ["messages without a text", { ...good, prompt: undefined, messages: [{ role: "user", content: "" }] }, "/messages"],
  ["65 messages", { ...good, prompt: undefined, messages: Array.from({ length: 65 }, () => message) }, "/messages"],
  [
    "messages too long together",
    { ...good, prompt: undefined, messages: [1, 2].map(() => ({ role: "user", content: "x".repeat(51_200) })) },
    "/messages",
  ],
  [
    "a message with half a surrogate pair",
    { ...good, prompt: undefined, messages: [message, { role: "user", content: "\ud800" }] },
    "/messages/1/content",
  ],
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
