import { DomainError } from "@soma/kit/domain-error";

/**
 * What becomes of a parameter: `used`; `ignored`, because it cannot change the answer, and `why`; `only` these values,
 * which ask for nothing that is not so anyway; or `refused`, because to ignore it would change what the caller gets.
 */
export type ParameterRule =
  | { readonly kind: "used" }
  | { readonly kind: "ignored"; readonly why: string }
  | { readonly kind: "only"; readonly values: readonly unknown[]; readonly why: string }
  | { readonly kind: "refused"; readonly why: string };

const used: ParameterRule = { kind: "used" };
const notAnIdentity: ParameterRule = { kind: "ignored", why: "who acts comes from the token alone" };
const cacheHint: ParameterRule = { kind: "ignored", why: "a hint for a cache that is not here" };
const noTools = "this service gives the model no tools yet";
const noToolCalls: ParameterRule = { kind: "ignored", why: "there are no tool calls that it could shape" };
const serviceTier: ParameterRule = { kind: "only", values: ["auto", "default"], why: "there is one tier" };
const stored: ParameterRule = {
  kind: "only",
  values: [true],
  why: "every session is recorded; there is no answer without a record",
};
const noModeration: ParameterRule = {
  kind: "refused",
  why: "policy judges every request already, with rules of the tenant",
};
const noReasoning: ParameterRule = { kind: "refused", why: "the model service has no reasoning to be set" };
const noConversation = "conversations are not kept yet; send the whole of it as input";

/** `POST /v1/chat/completions`: each parameter of the official SDKs. Any that is not here is refused. */
export const chatParameters = {
  messages: used,
  model: used,
  stream: used,
  stream_options: used,
  max_completion_tokens: used,
  max_tokens: used,
  temperature: used,
  top_p: used,
  seed: used,
  stop: used,
  metadata: used,
  user: notAnIdentity,
  safety_identifier: notAnIdentity,
  prompt_cache_key: cacheHint,
  prompt_cache_options: cacheHint,
  prompt_cache_retention: cacheHint,
  parallel_tool_calls: noToolCalls,
  n: { kind: "only", values: [1], why: "one session gives one answer" },
  store: stored,
  service_tier: serviceTier,
  logprobs: { kind: "only", values: [false], why: "log probabilities are not recorded" },
  top_logprobs: { kind: "only", values: [0], why: "log probabilities are not recorded" },
  frequency_penalty: { kind: "only", values: [0], why: "the model service's own penalty is what counts" },
  presence_penalty: { kind: "only", values: [0], why: "the model service's own penalty is what counts" },
  logit_bias: { kind: "only", values: [{}], why: "the model service takes none" },
  response_format: {
    kind: "only",
    values: [{ type: "text" }],
    why: "an answer that misses its schema would be tried again as if the model were away",
  },
  modalities: { kind: "only", values: [["text"]], why: "the model service writes text" },
  tools: { kind: "only", values: [[]], why: noTools },
  tool_choice: { kind: "only", values: ["none", "auto"], why: noTools },
  functions: { kind: "only", values: [[]], why: noTools },
  function_call: { kind: "only", values: ["none", "auto"], why: noTools },
  audio: { kind: "refused", why: "the model service writes text" },
  prediction: { kind: "refused", why: "the model service takes none, and its tokens would be counted" },
  reasoning_effort: noReasoning,
  verbosity: { kind: "refused", why: "the model service cannot be told; say it in a message" },
  web_search_options: { kind: "refused", why: noTools },
  moderation: noModeration,
} as const satisfies Record<string, ParameterRule>;

/** `POST /v1/responses`: each parameter of the official SDKs. Any that is not here is refused. */
export const responseParameters = {
  input: used,
  model: used,
  instructions: used,
  stream: used,
  stream_options: used,
  background: used,
  max_output_tokens: used,
  temperature: used,
  top_p: used,
  metadata: used,
  user: notAnIdentity,
  safety_identifier: notAnIdentity,
  prompt_cache_key: cacheHint,
  prompt_cache_options: cacheHint,
  prompt_cache_retention: cacheHint,
  parallel_tool_calls: noToolCalls,
  max_tool_calls: noToolCalls,
  store: stored,
  service_tier: serviceTier,
  top_logprobs: { kind: "only", values: [0], why: "log probabilities are not recorded" },
  include: { kind: "only", values: [[]], why: "there is nothing more to be included" },
  text: { kind: "only", values: [{}, { format: { type: "text" } }], why: "the model service writes plain text here" },
  truncation: { kind: "only", values: ["disabled"], why: "nothing of an input is left out in silence" },
  tools: { kind: "only", values: [[]], why: noTools },
  tool_choice: { kind: "only", values: ["none", "auto"], why: noTools },
  previous_response_id: { kind: "refused", why: noConversation },
  conversation: { kind: "refused", why: noConversation },
  context_management: { kind: "refused", why: noConversation },
  prompt: { kind: "refused", why: "prompt templates are not kept here" },
  reasoning: noReasoning,
  image: { kind: "refused", why: "the model service writes text" },
  moderation: noModeration,
  access_programs: { kind: "refused", why: "there are none here" },
} as const satisfies Record<string, ParameterRule>;

/**
 * Refuses what would be ignored although it matters. `null` is a parameter that was not given, as in OpenAI's API.
 *
 * @throws DomainError PARAMETER_UNSUPPORTED that names the parameter
 */
export function assertParameters(
  table: Readonly<Record<string, ParameterRule>>,
  body: Readonly<Record<string, unknown>>,
): void {
  for (const [name, value] of Object.entries(body)) {
    if (value === null || value === undefined) continue;
    const rule = Object.hasOwn(table, name) ? table[name] : undefined;
    if (rule === undefined) throw unsupported(name.slice(0, 64), "is not a parameter that this service knows");
    if (rule.kind === "refused") throw unsupported(name, `is not supported: ${rule.why}`);
    if (rule.kind === "only" && !rule.values.some((allowed) => isSame(allowed, value)))
      throw unsupported(
        name,
        `is accepted as ${rule.values.map((allowed) => JSON.stringify(allowed)).join(" or ")} only: ${rule.why}`,
      );
  }
}

/** @example throw unsupported("messages/0/name", "is not supported") */
export function unsupported(path: string, detail: string): DomainError {
  return new DomainError("PARAMETER_UNSUPPORTED", `${path.replaceAll("/", ".")} ${detail}.`, {
    fields: [{ pointer: `/${path}`, detail }],
  });
}

/** The values to compare with are small and their order of members is theirs. */
function isSame(allowed: unknown, value: unknown): boolean {
  return JSON.stringify(allowed) === JSON.stringify(value);
}
