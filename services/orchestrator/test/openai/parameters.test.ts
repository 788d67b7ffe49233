import assert from "node:assert/strict";
import { test } from "node:test";
import { DomainError } from "@soma/kit/domain-error";
import { readChatRequest } from "../../src/openai/chat-request.ts";
import { chatParameters, responseParameters, type ParameterRule } from "../../src/openai/parameters.ts";
import { readResponseRequest } from "../../src/openai/response-request.ts";

const chat = { model: "m", messages: [{ role: "user", content: "hi" }] };
const response = { model: "m", input: "hi" };

function refusalOf(call: () => unknown): { code: string; pointer: string | undefined } | undefined {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof DomainError, String(error));
    return { code: error.code, pointer: error.fields[0]?.pointer };
  }
  return undefined;
}

for (const [face, table, ask] of [
  ["chat", chatParameters, (more: object) => readChatRequest({ ...chat, ...more })],
  ["responses", responseParameters, (more: object) => readResponseRequest({ ...response, ...more })],
] as const) {
  test(`${face}: each parameter does what its row says, and null is one that was not given`, () => {
    const plain = ask({});
    for (const [name, rule] of Object.entries<ParameterRule>(table)) {
      if (rule.kind === "used") continue;
      assert.deepEqual(ask({ [name]: null }), plain, `${name}: null`);
      const refused = { code: "PARAMETER_UNSUPPORTED", pointer: `/${name}` };
      const odd = refusalOf(() => ask({ [name]: "something else" }));
      if (rule.kind === "ignored") {
        assert.deepEqual(ask({ [name]: "something else" }), plain, name);
        continue;
      }
      assert.deepEqual(odd, refused, name);
      const allowed = rule.kind === "only" ? rule.values : [];
      for (const value of allowed) assert.deepEqual(ask({ [name]: value }), plain, name);
    }
  });

  test(`${face}: a parameter that is in no row is refused, the names of objects' own members included`, () => {
    for (const name of ["future_parameter", "toString", "constructor"])
      assert.deepEqual(
        refusalOf(() => ask({ [name]: 1 })),
        { code: "PARAMETER_UNSUPPORTED", pointer: `/${name}` },
      );
  });
}

test("sampling becomes the session's; nothing is added that was not asked for", () => {
  assert.deepEqual(readChatRequest(chat), { model: "m", messages: chat.messages });
  assert.deepEqual(
    readChatRequest({ ...chat, max_completion_tokens: 5, temperature: 0, top_p: 1, seed: 0, stop: "x" }).sampling,
    { max_tokens: 5, temperature: 0, top_p: 1, seed: 0, stop: ["x"] },
  );
  assert.deepEqual(readChatRequest({ ...chat, max_tokens: 5, stop: ["a", "b"] }).sampling, {
    max_tokens: 5,
    stop: ["a", "b"],
  });
  assert.deepEqual(
    refusalOf(() => readChatRequest({ ...chat, max_tokens: 5, max_completion_tokens: 6 })),
    { code: "VALIDATION_FAILED", pointer: "/max_tokens" },
  );
  assert.deepEqual(readResponseRequest({ ...response, instructions: "be brief", max_output_tokens: 9 }), {
    model: "m",
    messages: [
      { role: "system", content: "be brief" },
      { role: "user", content: "hi" },
    ],
    sampling: { max_tokens: 9 },
  });
});

const read = (message: object) => readChatRequest({ model: "m", messages: [{ role: "user", ...message }] }).messages;
const part = (text: string) => ({ type: "text", text });
const refused = (pointer: string) => ({ code: "PARAMETER_UNSUPPORTED", pointer });

test("messages: parts of text are joined, answers can be sent back as they came, all else is refused by name", () => {
  assert.deepEqual(read({ content: [part("a"), part("b")] }), [{ role: "user", content: "ab" }]);
  assert.deepEqual(read({ role: "assistant", content: "x", refusal: null, annotations: [], tool_calls: [] }), [
    { role: "assistant", content: "x" },
  ]);
  const output = { id: "msg_1", type: "message", status: "completed", role: "assistant" };
  const text = { type: "output_text", text: "x", annotations: [], logprobs: [] };
  assert.deepEqual(readResponseRequest({ input: [{ ...output, content: [text] }] }).messages, [
    { role: "assistant", content: "x" },
  ]);
  for (const [message, pointer] of [
    [{ role: "tool", content: "x" }, "/messages/0/role"],
    [{ role: "function", content: "x" }, "/messages/0/role"],
    [{ content: [part("a"), { type: "image_url", image_url: { url: "https://x" } }] }, "/messages/0/content/1"],
    [{ content: [{ type: "input_audio", input_audio: {} }] }, "/messages/0/content/0"],
    [{ content: [{ type: "file", text: "x" }] }, "/messages/0/content/0"],
    [{ content: null }, "/messages/0/content"],
    [{ content: "x", name: "somebody" }, "/messages/0/name"],
    [{ role: "assistant", content: "x", tool_calls: [{}] }, "/messages/0/tool_calls"],
  ] as const)
    assert.deepEqual(
      refusalOf(() => read(message)),
      refused(pointer),
    );
  assert.deepEqual(
    refusalOf(() => readResponseRequest({ input: [{ type: "function_call_output", role: "user", content: "x" }] })),
    refused("/input/0/type"),
  );
});
