import { openaiIdPrefixes, type ChatCompletion } from "@soma/contracts/openai";
import type { SessionResult } from "@soma/contracts/session";
import type { SessionRow } from "../ledger/session-row.ts";

interface ChunkChoice {
  readonly delta: { readonly role?: "assistant"; readonly content?: string };
  readonly finish_reason: string | null;
}

/** `chat.completion.chunk`, as it is written into a stream. */
interface ChatChunk {
  readonly id: string;
  readonly object: "chat.completion.chunk";
  readonly created: number;
  readonly model: string;
  readonly choices: readonly (ChunkChoice & { readonly index: 0; readonly logprobs: null })[];
  readonly usage?: ChatCompletion["usage"] | null;
}

/** A completed session as the answer of a chat completion. */
export function chatCompletion(row: SessionRow, result: SessionResult): ChatCompletion {
  return {
    id: openaiIdPrefixes.chat + row.session_id,
    object: "chat.completion",
    created: secondsOf(row.created_at),
    model: result.model,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: result.text, refusal: null },
        logprobs: null,
        finish_reason: result.finish_reason,
      },
    ],
    usage: result.usage,
  };
}

/** One chunk of a stream; without a choice it is the last, which carries the usage. */
export function chatChunk(
  row: SessionRow,
  model: string,
  choice: ChunkChoice | undefined,
  usage: ChatCompletion["usage"] | null | undefined,
): ChatChunk {
  return {
    id: openaiIdPrefixes.chat + row.session_id,
    object: "chat.completion.chunk",
    created: secondsOf(row.created_at),
    model,
    choices: choice === undefined ? [] : [{ index: 0, ...choice, logprobs: null }],
    ...(usage !== undefined && { usage }),
  };
}

/** Unix time in seconds of an RFC 3339 time. */
export function secondsOf(time: string): number {
  return Math.floor(Date.parse(time) / 1000);
}
