import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Chat, Responses } from "openai/resources";
import * as shapes from "@soma/contracts/openai";
import { openaiErrorBody, openaiErrors, openaiPaths, openaiStatus } from "@soma/contracts/openai-errors";
import {
  chatParameters,
  responseParameters,
  type ParameterRule,
} from "../../services/orchestrator/src/openai/parameters.ts";
import { isErrorCode } from "@soma/contracts/error-codes";
import { fieldsOf } from "./fields-of.ts";

/** The compiler finds a parameter of the SDK that has no row. */
const chatRows: Record<keyof Chat.ChatCompletionCreateParamsStreaming, ParameterRule> = chatParameters;
const responseRows: Record<keyof Responses.ResponseCreateParamsStreaming, ParameterRule> = responseParameters;

const kinds = (rows: Record<string, ParameterRule>, kind: ParameterRule["kind"]): string[] =>
  Object.keys(rows)
    .filter((name) => rows[name]?.kind === kind)
    .toSorted();

test("what becomes of each parameter", () => {
  assert.deepEqual(
    kinds(chatRows, "used").join(" "),
    "max_completion_tokens max_tokens messages metadata model seed stop stream stream_options temperature top_p",
  );
  assert.deepEqual(
    kinds(chatRows, "ignored").join(" "),
    "parallel_tool_calls prompt_cache_key prompt_cache_options prompt_cache_retention safety_identifier user",
  );
  assert.deepEqual(
    kinds(chatRows, "refused").join(" "),
    "audio moderation prediction reasoning_effort verbosity web_search_options",
  );
  assert.deepEqual(
    kinds(responseRows, "used").join(" "),
    "background input instructions max_output_tokens metadata model stream stream_options temperature top_p",
  );
  assert.deepEqual(
    kinds(responseRows, "ignored").join(" "),
    "max_tool_calls parallel_tool_calls prompt_cache_key prompt_cache_options prompt_cache_retention safety_identifier user",
  );
  assert.deepEqual(
    kinds(responseRows, "refused").join(" "),
    "access_programs context_management conversation image moderation previous_response_id prompt reasoning",
  );
});

function types(path: string): string {
  return readFileSync(new URL(`../../node_modules/openai/resources/${path}`, import.meta.url), "utf8");
}

test("no row is for a parameter that the SDK does not have", () => {
  const chat = types("chat/completions/completions.d.ts");
  for (const name of Object.keys(chatRows)) assert.match(chat, new RegExp(`^ {4}${name}\\??:`, "m"));
  const responses = types("responses/responses.d.ts");
  for (const name of Object.keys(responseRows)) assert.match(responses, new RegExp(`^ {4}${name}\\??:`, "m"));
});

test("the errors that differ from problem documents in status or code", () => {
  const told = Object.keys(openaiErrors).flatMap((name) => {
    if (!isErrorCode(name)) return [];
    const { code } = openaiErrorBody(name, "x").error;
    const { status } = openaiErrors[name];
    return code === name.toLowerCase() && status === undefined ? [] : [`${name} ${String(openaiStatus(name))} ${code}`];
  });
  assert.deepEqual(told, [
    "VALIDATION_FAILED 400 invalid_value",
    "PARAMETER_UNSUPPORTED 400 unsupported_parameter",
    "ROUTE_NOT_FOUND 404 unknown_url",
    "UNAUTHENTICATED 401 invalid_api_key",
    "FORBIDDEN 403 insufficient_permissions",
    "RATE_LIMITED 429 rate_limit_exceeded",
    "CONCURRENCY_LIMITED 429 rate_limit_exceeded",
    "QUOTA_EXCEEDED 429 insufficient_quota",
    "QUEUE_FULL 429 rate_limit_exceeded",
    "TOO_MANY_STREAMS 429 rate_limit_exceeded",
    "BUDGET_EXCEEDED 429 insufficient_quota",
    "MODEL_REJECTED 400 model_rejected",
    "MODEL_NOT_FOUND 404 model_not_found",
    "MODEL_PROMPT_TOO_LONG 400 context_length_exceeded",
  ]);
});

test("shapes and ids", () => {
  assert.equal(fieldsOf(shapes.ChatCompletion), "id object created model choices usage");
  assert.equal(
    fieldsOf(shapes.OpenaiResponse),
    "id object created_at completed_at status error incomplete_details instructions metadata model output parallel_tool_calls temperature top_p max_output_tokens tool_choice tools text truncation access_programs usage",
  );
  assert.equal(fieldsOf(shapes.OpenaiModel), "id object created owned_by");
  assert.deepEqual(openaiPaths, { chat: "/v1/chat", responses: "/v1/responses", models: "/v1/models" });
  assert.deepEqual(shapes.openaiIdPrefixes, { chat: "chatcmpl-", response: "resp_", message: "msg_" });
});
