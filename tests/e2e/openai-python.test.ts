import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type OpenAI from "openai";
import { denied, model, startOpenaiWorld, type OpenaiWorld } from "./openai/world.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
let world: OpenaiWorld;

before(async () => {
  world = await startOpenaiWorld();
});

after(() => world.close());

interface PythonSaw {
  chat: OpenAI.ChatCompletion;
  chat_stream: { ids: string[]; pieces: string[]; usage: Record<string, number>; finish_reason: string };
  response: OpenAI.Responses.Response;
  response_stream: { types: string[]; text: string; final: OpenAI.Responses.Response };
  read_on: string;
  canceled: string;
  models: string[];
  model: { id: string };
  errors: Record<string, { kind: string; status: number; code: string; param: string | null }>;
}

test("Python SDK: the same scenes, seen by another client", async () => {
  const python = join(root, ".soma/openai-client/bin/python");
  const running = promisify(execFile)(python, [join(root, "tests/e2e/openai/drive.py"), world.api.url, model, denied], {
    maxBuffer: 16_000_000,
  });
  running.child.stdin?.end(world.key);
  const { stdout } = await running;
  const seen: PythonSaw = JSON.parse(stdout);
  const chatSession = await world.sessionOf(seen.chat.id);
  assert.equal(seen.chat.choices[0]?.message.content, chatSession.result?.text);
  assert.equal(seen.chat.usage?.total_tokens, chatSession.result?.usage.total_tokens);
  const { ids, pieces, usage, finish_reason } = seen.chat_stream;
  assert.equal(ids.length, 1);
  const streamed = await world.sessionOf(ids[0] ?? "");
  assert.equal(pieces.join(""), streamed.result?.text);
  assert.equal(usage["total_tokens"], streamed.result?.usage.total_tokens);
  assert.equal(finish_reason, streamed.result?.finish_reason);
  assert.equal(seen.response.usage?.total_tokens, (await world.sessionOf(seen.response.id)).result?.usage.total_tokens);
  const { text, final, types } = seen.response_stream;
  assert.equal(text, (await world.sessionOf(final.id)).result?.text);
  assert.deepEqual(types.slice(0, 2), ["response.created", "response.in_progress"]);
  assert.ok(seen.read_on.length > 0);
  assert.equal(seen.canceled, "cancelled");
  assert.ok(seen.models.includes(model));
  assert.equal(seen.model.id, model);
  const errors = Object.entries(seen.errors).map(([name, { kind, status, code }]) => [name, kind, status, code]);
  assert.deepEqual(errors, [
    ["bad_key", "AuthenticationError", 401, "invalid_api_key"],
    ["unknown_model", "NotFoundError", 404, "model_not_found"],
    ["unsupported", "BadRequestError", 400, "unsupported_parameter"],
    ["denied", "PermissionDeniedError", 403, "policy_denied"],
    ["not_found", "NotFoundError", 404, "session_not_found"],
  ]);
});
