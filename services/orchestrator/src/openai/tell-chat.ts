import type { Usage } from "@soma/contracts/session";
import { DomainError } from "@soma/kit/domain-error";
import type { SessionRow } from "../ledger/session-row.ts";
import { isLastEvent } from "../streams/last-event.ts";
import { chatChunk } from "./chat-answer.ts";
import { openaiError } from "./errors.ts";
import type { EventSink } from "./event-sink.ts";
import { failureInStream, resultOf, stopping, type AnswerDeps } from "./session-answer.ts";
import { TextTeller } from "./text-teller.ts";

interface ChatStream {
  readonly row: SessionRow;
  readonly sink: EventSink;
  readonly includeUsage: boolean;
}

/**
 * Streams a session as chat completion chunks: the role, the text as it is made, the finish reason, the usage when it was
 * asked for, and `[DONE]`. A failure after the first chunk is an `error` in the stream, without `[DONE]`.
 *
 * @throws DomainError of a failure before the first chunk
 */
export async function tellChat(deps: AnswerDeps, { row, sink, includeUsage }: ChatStream): Promise<void> {
  try {
    await tellChunks(deps, { row, sink, includeUsage });
  } catch (error) {
    await sink.write(openaiError(failureInStream(deps, sink, error)));
  }
  if (sink.begun) sink.end();
}

async function tellChunks(deps: AnswerDeps, { row, sink, includeUsage }: ChatStream): Promise<void> {
  const text = new TextTeller(0);
  let model = row.model ?? "default";
  let hasRole = false;
  const tell = (choice: Parameters<typeof chatChunk>[2], usage: Usage | null = null): Promise<void> =>
    sink.write(chatChunk(row, model, choice, includeUsage ? usage : undefined));
  const tellText = async (content: string): Promise<void> => {
    if (!hasRole) await tell({ delta: { role: "assistant", content: "" }, finish_reason: null });
    hasRole = true;
    if (content !== "") await tell({ delta: { content }, finish_reason: null });
  };
  let ended = false;
  for await (const item of deps.streams.follow(row, 0, sink.gone)) {
    if (item.kind === "quiet") await sink.beat();
    if (item.kind === "delta") {
      const piece = text.take(item.delta);
      if (piece !== "") await tellText(piece);
    }
    ended = item.kind === "event" && isLastEvent(item.event.type);
  }
  if (sink.gone.aborted) return;
  if (!ended) throw stopping(row);
  const result = await resultOf(deps, row);
  model = result.model;
  const rest = text.rest(result.text);
  if (rest === undefined) throw answerChanged(row);
  await tellText(rest);
  await tell({ delta: {}, finish_reason: result.finish_reason });
  if (includeUsage) await tell(undefined, result.usage);
  await sink.write("[DONE]");
}

/** Another worker took over and the model said something else: what was sent cannot be taken back. */
export function answerChanged(row: SessionRow): DomainError {
  return new DomainError(
    "ANSWER_CHANGED",
    `The answer was begun anew after a part of it was sent; /v1/sessions/${row.session_id} has all of it.`,
  );
}
