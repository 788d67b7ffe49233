import { errors } from "@soma/contracts/error-codes";
import type { Digest } from "@soma/contracts/ids";
import { openaiIdPrefixes, type OpenaiResponse, type OutputMessage, type ResponseStatus } from "@soma/contracts/openai";
import { isTerminal, type Sampling, type SessionStatus, type SessionView } from "@soma/contracts/session";
import { DomainError } from "@soma/kit/domain-error";
import type { SessionRow } from "../ledger/session-row.ts";
import { findSession } from "../sessions/find-session.ts";
import type { SessionDeps } from "../sessions/session-deps.ts";
import { readText } from "../sessions/read-text.ts";
import { readChatPrompt } from "../sessions/session-prompt.ts";
import { viewSession } from "../sessions/session-view.ts";
import { secondsOf } from "./chat-answer.ts";
import { responseErrorCode } from "./errors.ts";

/** A session as a response, as it is now. */
export async function readResponse(deps: SessionDeps, row: SessionRow): Promise<OpenaiResponse> {
  const now = await findSession(deps.ledger, row.tenant, row.session_id);
  const [view, asked] = await Promise.all([viewSession(deps, now), readAsked(deps, now)]);
  return response(view, asked);
}

/** What the caller asked for, which a response repeats. */
export interface AskedFor {
  readonly sampling: Sampling;
  readonly metadata: Readonly<Record<string, string>>;
}

export async function readAsked(deps: SessionDeps, row: SessionRow): Promise<AskedFor> {
  const read = async (digest: Digest): Promise<string> => {
    const found = await readText(deps.ledger, row, digest);
    if ("gone" in found) throw new DomainError("CONTENT_ERASED", "What was asked is not there any more.");
    return found.text;
  };
  const metadata: unknown = row.metadata_digest === undefined ? {} : JSON.parse(await read(row.metadata_digest));
  const texts = Object.entries(Object(metadata)).filter(
    (pair): pair is [string, string] => typeof pair[1] === "string",
  );
  return {
    sampling: row.prompt_format === "chat" ? (readChatPrompt(await read(row.prompt_digest)).sampling ?? {}) : {},
    metadata: Object.fromEntries(texts),
  };
}

/** A session's view as a response. */
export function response(view: SessionView, { sampling, metadata }: AskedFor): OpenaiResponse {
  const { result, error } = view;
  const cut = result?.finish_reason === "length";
  return {
    id: openaiIdPrefixes.response + view.session_id,
    object: "response",
    created_at: secondsOf(view.created_at),
    completed_at: view.status === "completed" ? secondsOf(view.updated_at) : null,
    status: cut ? "incomplete" : statusOf[view.status],
    error:
      error && view.status !== "canceled"
        ? { code: responseErrorCode(error.code), message: `${error.code}: ${errors[error.code].title}.` }
        : null,
    incomplete_details: cut ? { reason: "max_output_tokens" } : null,
    instructions: null,
    metadata,
    model: result?.model ?? view.model ?? "default",
    output: result ? [outputMessage(view.session_id, result.text, cut ? "incomplete" : "completed")] : [],
    parallel_tool_calls: false,
    temperature: sampling.temperature ?? null,
    top_p: sampling.top_p ?? null,
    max_output_tokens: sampling.max_tokens ?? null,
    tool_choice: "none",
    tools: [],
    text: { format: { type: "text" } },
    truncation: "disabled",
    access_programs: null,
    usage: result
      ? {
          input_tokens: result.usage.prompt_tokens,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: result.usage.completion_tokens,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: result.usage.total_tokens,
        }
      : null,
  };
}

/** The one item of a response's output; without a text it has only begun. */
export function outputMessage(
  sessionId: string,
  text: string | undefined,
  status: OutputMessage["status"],
): OutputMessage {
  return {
    id: openaiIdPrefixes.message + sessionId,
    type: "message",
    role: "assistant",
    status,
    content: text === undefined ? [] : [{ type: "output_text", text, annotations: [], logprobs: [] }],
  };
}

const statusOf: Readonly<Record<SessionStatus, ResponseStatus>> = {
  starting: "queued",
  running: "in_progress",
  waiting_input: "in_progress",
  waiting_approval: "in_progress",
  waiting_budget: "in_progress",
  paused: "in_progress",
  completed: "completed",
  denied: "failed",
  failed: "failed",
  canceled: "cancelled",
  timed_out: "failed",
};

/** A session as it was before it ended, for the events that tell its beginning. */
export function asBegun(view: SessionView, status: "starting" | "running"): SessionView {
  const { result: _result, error: _error, ...begun } = view;
  return isTerminal(view.status) || view.status === "starting" ? { ...begun, status } : begun;
}
