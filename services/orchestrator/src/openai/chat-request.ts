import type { ChatCompletionRequest } from "@soma/contracts/openai";
import type { Sampling, StartSessionRequest } from "@soma/contracts/session";
import { refuse } from "../sessions/session-input.ts";
import { readMessage } from "./messages.ts";
import { assertParameters, chatParameters } from "./parameters.ts";

/** The session that a chat completion asks for. @throws DomainError PARAMETER_UNSUPPORTED or VALIDATION_FAILED. */
export function readChatRequest(body: ChatCompletionRequest): StartSessionRequest {
  assertParameters(chatParameters, body);
  const sampling = readSampling(body);
  return {
    messages: body.messages.map((message, index) => readMessage(message, `messages/${String(index)}`)),
    ...(Object.keys(sampling).length > 0 && { sampling }),
    model: body.model,
    ...(body.metadata && { metadata: body.metadata }),
  };
}

function readSampling(body: ChatCompletionRequest): Sampling {
  const limit = body.max_completion_tokens ?? body.max_tokens ?? undefined;
  if (body.max_tokens && limit !== body.max_tokens)
    return refuse("/max_tokens", "differs from max_completion_tokens; send one of them");
  const stop = typeof body.stop === "string" ? [body.stop] : (body.stop ?? []);
  return {
    ...(limit !== undefined && { max_tokens: limit }),
    ...(typeof body.temperature === "number" && { temperature: body.temperature }),
    ...(typeof body.top_p === "number" && { top_p: body.top_p }),
    ...(typeof body.seed === "number" && { seed: body.seed }),
    ...(stop.length > 0 && { stop }),
  };
}
