import type { OpenaiMessage } from "@soma/contracts/openai";
import { messageRoles, type ChatMessage, type MessageRole } from "@soma/contracts/session";
import { unsupported } from "./parameters.ts";

/** Members of a message that say nothing to the model: what SDKs hand back with an answer that they were given. */
const harmless: ReadonlySet<string> = new Set(["id", "status", "type", "phase"]);
const textParts: ReadonlySet<string> = new Set(["text", "input_text", "output_text"]);

/**
 * A message of either API as the session keeps it. `at` is where it stands, for the error.
 *
 * @throws DomainError PARAMETER_UNSUPPORTED for a role, a part or a member that this service does not take
 */
export function readMessage(given: Partial<OpenaiMessage>, at: string): ChatMessage {
  const { role, content, ...more }: Partial<OpenaiMessage> & Readonly<Record<string, unknown>> = given;
  const known = messageRoles.find((name) => name === role);
  if (known === undefined) throw unsupported(`${at}/role`, `must be one of ${messageRoles.join(", ")}`);
  for (const [name, value] of Object.entries(more)) {
    // An answer that is sent back carries its empty members along: refusal null, annotations [].
    const isEmpty = value === null || (Array.isArray(value) && value.length === 0);
    if (!harmless.has(name) && !isEmpty) throw unsupported(`${at}/${name}`, "is not supported");
  }
  if (more["type"] !== undefined && more["type"] !== "message")
    throw unsupported(`${at}/type`, "must be message: this service takes messages of text");
  return message(known, content, at);
}

function message(role: MessageRole, content: OpenaiMessage["content"], at: string): ChatMessage {
  if (content === undefined || content === null) throw unsupported(`${at}/content`, "must be text");
  if (typeof content === "string") return { role, content };
  const texts = content.map(({ type, text }, index) => {
    if (!textParts.has(type) || text === undefined)
      throw unsupported(
        `${at}/content/${String(index)}`,
        "must be a part of text; images, audio and files are not taken",
      );
    return text;
  });
  return { role, content: texts.join("") };
}
