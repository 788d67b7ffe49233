import type { AppliedPrice, Reservation } from "@soma/contracts/budget";
import type { ChatMessage, Usage } from "@soma/contracts/session";

/** Tokens that a chat template may put around the conversation, a system prompt of its own included. */
const conversationFrame = 256;
/** Tokens that a chat template may put around one message: marks of its beginning and end, line breaks. */
const messageFrame = 16;

/**
 * More tokens than a model can make of these messages. A token of a byte-level tokenizer stands for one byte of UTF-8 or
 * more, so that a text has at most as many as bytes; what the template adds is bounded by the frames. Pure.
 *
 * @see docs/decisions/0019-budgets.md for tokenizers that it does not hold for
 */
export function inputTokenBound(messages: readonly ChatMessage[]): number {
  return messages.reduce(
    (sum, { role, content }) => sum + messageFrame + Buffer.byteLength(role) + Buffer.byteLength(content),
    conversationFrame,
  );
}

/** The worst that one model call can use. Pure. */
export function worstCase(inputBound: number, outputCap: number, price: AppliedPrice | undefined): Reservation {
  return { tokens: inputBound + outputCap, cost_micros: costOf(inputBound, outputCap, price) };
}

/** What a call really cost; without a price nothing that could be counted. What is not input is paid as output. Pure. */
export function costOfUsage(usage: Usage, price: AppliedPrice | undefined): number {
  const { prompt_tokens, completion_tokens, total_tokens } = usage;
  return costOf(prompt_tokens, Math.max(completion_tokens, total_tokens - prompt_tokens), price);
}

/** Rounded up to whole millionths, so that a sum of costs is never below the cost of the sum. Products pass 2^53. */
function costOf(input: number, output: number, price: AppliedPrice | undefined): number {
  if (price === undefined) return 0;
  const products =
    BigInt(input) * BigInt(price.input_micros_per_million) + BigInt(output) * BigInt(price.output_micros_per_million);
  const micros = (products + 999_999n) / 1_000_000n;
  return micros > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(micros);
}
