import { Type } from "typebox";

/**
 * What the orchestrator reads of an OpenAI-compatible `POST /v1/chat/completions` with `stream: true`. Other fields
 * may stand beside these; a chunk without a choice carries the usage.
 */
export const ChatCompletionChunk = Type.Object({
  model: Type.Optional(Type.String()),
  choices: Type.Array(
    Type.Object({
      delta: Type.Optional(Type.Object({ content: Type.Optional(Type.Union([Type.String(), Type.Null()])) })),
      finish_reason: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    }),
  ),
  usage: Type.Optional(
    Type.Union([
      Type.Object({ prompt_tokens: Type.Integer(), completion_tokens: Type.Integer(), total_tokens: Type.Integer() }),
      Type.Null(),
    ]),
  ),
});
export type ChatCompletionChunk = Type.Static<typeof ChatCompletionChunk>;
