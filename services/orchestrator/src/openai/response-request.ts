import type { ResponseRequest } from "@soma/contracts/openai";
import type { ChatMessage, Sampling, StartSessionRequest } from "@soma/contracts/session";
import { readMessage } from "./messages.ts";
import { assertParameters, responseParameters } from "./parameters.ts";

/** The session that a response asks for. @throws DomainError PARAMETER_UNSUPPORTED or VALIDATION_FAILED. */
export function readResponseRequest(body: ResponseRequest): StartSessionRequest {
  assertParameters(responseParameters, body);
  const sampling: Sampling = {
    ...(typeof body.max_output_tokens === "number" && { max_tokens: body.max_output_tokens }),
    ...(typeof body.temperature === "number" && { temperature: body.temperature }),
    ...(typeof body.top_p === "number" && { top_p: body.top_p }),
  };
  return {
    messages: readInput(body),
    ...(Object.keys(sampling).length > 0 && { sampling }),
    ...(body.model !== undefined && { model: body.model }),
    ...(body.metadata && { metadata: body.metadata }),
  };
}

function readInput({ instructions, input }: ResponseRequest): ChatMessage[] {
  const before: ChatMessage[] = instructions ? [{ role: "system", content: instructions }] : [];
  if (typeof input === "string") return [...before, { role: "user", content: input }];
  return [...before, ...input.map((item, index) => readMessage(item, `input/${String(index)}`))];
}
