import { ChatPrompt, type StartSessionRequest } from "@soma/contracts/session";
import { canonicalJson } from "@soma/kit/digest";
import { Value } from "typebox/value";

/** What the model is asked: a text, or messages with their sampling. */
export type Asked = Pick<StartSessionRequest, "prompt" | "messages" | "sampling">;

/** The prompt's text as the ledger names it by digest, and what kind of text it is. */
export interface PromptText {
  readonly text: string;
  readonly mediaType: string;
  /** Absent for a text that is one user message. */
  readonly format?: "chat";
}

/**
 * The text that `prompt_digest` is of. Of messages it is the canonical JSON (RFC 8785) of all that the model is given, so
 * that one digest binds every role, every content and the sampling.
 */
export function promptText({ prompt, messages, sampling }: Asked): PromptText {
  if (messages === undefined) return { text: prompt ?? "", mediaType: "text/plain; charset=utf-8" };
  return {
    text: canonicalJson(askedOf({ messages, ...(sampling !== undefined && { sampling }) })),
    mediaType: "application/json",
    format: "chat",
  };
}

/** What the model is given of an own session, a conversation or a memory apart. */
export function askedOf({ prompt = "", messages, sampling }: Asked): ChatPrompt {
  if (messages === undefined) return { messages: [{ role: "user", content: prompt }] };
  return { messages, ...(sampling !== undefined && { sampling }) };
}

/** Reads back what {@link promptText} wrote. */
export function readChatPrompt(text: string): ChatPrompt {
  return Value.Parse(ChatPrompt, JSON.parse(text));
}

/**
 * What policy judges: the text of every message, never only of the last, each on lines of its own. Plain and not as JSON,
 * where a line break or a quotation mark would be spelled in a way that no rule looks for.
 */
export function judgedText({ prompt, messages }: Asked): string {
  return messages === undefined ? (prompt ?? "") : messages.map(({ content }) => content).join("\n");
}
