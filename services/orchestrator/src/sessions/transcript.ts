import type { Digest } from "@soma/contracts/ids";
import { ChatMessage } from "@soma/contracts/session";
import { DigestSchema } from "@soma/contracts/ids";
import { canonicalJson } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import { Type } from "typebox";
import { Value } from "typebox/value";
import type { Subject } from "../contents/subject.ts";
import { newContent, type NewContent } from "../ledger/content.ts";
import type { Ledger } from "../ledger/ledger.ts";

/**
 * What one turn added to a conversation, and the conversation that it was added to, by digest. The digest of a node so
 * stands for all that was said up to it, and is all that Temporal's history holds of it: history grows with the number
 * of turns and not with its square.
 */
const TranscriptNode = Type.Object(
  { base: Type.Optional(DigestSchema), messages: Type.Array(ChatMessage) },
  { additionalProperties: false },
);

/** A node to be stored with the event that names its digest. */
export function newTranscriptNode(
  subject: Subject,
  base: Digest | undefined,
  messages: readonly ChatMessage[],
): NewContent {
  const node = { ...(base !== undefined && { base }), messages };
  return newContent(subject, "application/json", canonicalJson(node));
}

/**
 * The end of a conversation, oldest message first: whole turns, as many as fit. The model's window is bounded, and so is
 * what a turn reads, however long the conversation has become.
 *
 * @param maxBytes of the messages' texts in UTF-8
 */
export async function readTranscript(
  ledger: Ledger,
  subject: Subject,
  base: Digest | undefined,
  maxBytes: number,
): Promise<ChatMessage[]> {
  const turns: ChatMessage[][] = [];
  let room = maxBytes;
  for (let digest = base; digest !== undefined;) {
    // Each needs the one after it: nothing to read side by side.
    const bytes = await ledger.readContent({ tenant: subject.tenant, user: subject.user, digest });
    if (bytes === undefined)
      throw new DomainError("INTERNAL", "A part of the conversation is not in the content store.");
    const node = Value.Parse(TranscriptNode, JSON.parse(Buffer.from(bytes).toString("utf8")));
    room -= bytesOf(node.messages);
    if (room < 0) break;
    turns.push(node.messages);
    digest = node.base;
  }
  return turns.toReversed().flat();
}

export function bytesOf(messages: readonly ChatMessage[]): number {
  return messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
}
