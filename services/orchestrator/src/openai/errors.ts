import type { ErrorCode } from "@soma/contracts/error-codes";
import type { OpenaiError } from "@soma/contracts/openai";
import { openaiErrorBody, openaiStatus } from "@soma/contracts/openai-errors";
import type { DomainError } from "@soma/kit/domain-error";

/** An error as an OpenAI client reads it; the first field to blame is its `param`. */
export function openaiError(error: DomainError): OpenaiError {
  return openaiErrorBody(error.code, error.message, error.fields[0]?.pointer);
}

/** The `error.code` of a response that failed: a set that OpenAI closed. */
export function responseErrorCode(code: ErrorCode): "server_error" | "rate_limit_exceeded" | "invalid_prompt" {
  const status = openaiStatus(code);
  if (status === 429) return "rate_limit_exceeded";
  return status >= 500 ? "server_error" : "invalid_prompt";
}
