import { Type } from "typebox";

/**
 * The shapes of the OpenAI-compatible face, as the official SDKs send and read them. Requests are open: a parameter that
 * stands here is typed, and every other one is judged by the table of parameters, not ignored.
 */
const open = { additionalProperties: true } as const;
const orNull = <Schema extends Type.TSchema>(schema: Schema): Type.TUnion<[Schema, Type.TNull]> =>
  Type.Union([schema, Type.Null()]);

const ModelName = Type.String({
  pattern: "^[A-Za-z0-9][A-Za-z0-9._/:-]{0,127}$",
  description: "A model of the model service, see /v1/models",
});
const Metadata = Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 512 }), {
  maxProperties: 16,
  description: "At most 16 pairs of texts; session_id names the session",
});
const Stop = Type.String({ minLength: 1, maxLength: 64 });

/** A part of a message; only text is taken. */
const Part = Type.Object({ type: Type.String({ maxLength: 64 }), text: Type.Optional(Type.String()) }, open);
const Content = Type.Union([Type.String(), Type.Array(Part, { maxItems: 64 })]);

export const OpenaiMessage = Type.Object(
  { role: Type.String({ maxLength: 64 }), content: Type.Optional(orNull(Content)) },
  open,
);
export type OpenaiMessage = Type.Static<typeof OpenaiMessage>;

const temperature = Type.Number({ minimum: 0, maximum: 2 });
const topP = Type.Number({ exclusiveMinimum: 0, maximum: 1 });
const tokens = Type.Integer({ minimum: 1, maximum: 1_000_000 });

/** Body of `POST /v1/chat/completions`. */
export const ChatCompletionRequest = Type.Object(
  {
    messages: Type.Array(OpenaiMessage, { minItems: 1, maxItems: 64 }),
    model: ModelName,
    stream: Type.Optional(orNull(Type.Boolean())),
    stream_options: Type.Optional(
      orNull(
        Type.Object(
          {
            include_usage: Type.Optional(Type.Boolean()),
            include_obfuscation: Type.Optional(Type.Literal(false)),
          },
          { additionalProperties: false },
        ),
      ),
    ),
    max_completion_tokens: Type.Optional(orNull(tokens)),
    max_tokens: Type.Optional(orNull(tokens)),
    temperature: Type.Optional(orNull(temperature)),
    top_p: Type.Optional(orNull(topP)),
    seed: Type.Optional(orNull(Type.Integer({ minimum: 0, maximum: 4_294_967_294 }))),
    stop: Type.Optional(Type.Union([Stop, Type.Array(Stop, { maxItems: 4 }), Type.Null()])),
    metadata: Type.Optional(orNull(Metadata)),
  },
  open,
);
export type ChatCompletionRequest = Type.Static<typeof ChatCompletionRequest>;

/** Body of `POST /v1/responses`. */
export const ResponseRequest = Type.Object(
  {
    input: Type.Union([
      Type.String({ minLength: 1 }),
      Type.Array(
        Type.Object(
          {
            type: Type.Optional(Type.String({ maxLength: 64 })),
            ...OpenaiMessage.properties,
            role: Type.Optional(Type.String({ maxLength: 64 })),
          },
          open,
        ),
        {
          minItems: 1,
          maxItems: 64,
        },
      ),
    ]),
    model: Type.Optional(ModelName),
    instructions: Type.Optional(orNull(Type.String())),
    stream: Type.Optional(orNull(Type.Boolean())),
    stream_options: Type.Optional(
      orNull(Type.Object({ include_obfuscation: Type.Optional(Type.Literal(false)) }, { additionalProperties: false })),
    ),
    background: Type.Optional(orNull(Type.Boolean())),
    max_output_tokens: Type.Optional(orNull(tokens)),
    temperature: Type.Optional(orNull(temperature)),
    top_p: Type.Optional(orNull(topP)),
    metadata: Type.Optional(orNull(Metadata)),
  },
  open,
);
export type ResponseRequest = Type.Static<typeof ResponseRequest>;

/** What every refusal on these routes is. */
export const OpenaiError = Type.Object({
  error: Type.Object({
    message: Type.String(),
    type: Type.String(),
    param: orNull(Type.String()),
    code: Type.String(),
  }),
});
export type OpenaiError = Type.Static<typeof OpenaiError>;

const ChatUsage = Type.Object({
  prompt_tokens: Type.Integer(),
  completion_tokens: Type.Integer(),
  total_tokens: Type.Integer(),
});

export const ChatCompletion = Type.Object({
  id: Type.String({ description: "chatcmpl-<session id>" }),
  object: Type.Literal("chat.completion"),
  created: Type.Integer(),
  model: Type.String({ description: "The model that answered" }),
  choices: Type.Array(
    Type.Object({
      index: Type.Literal(0),
      message: Type.Object({ role: Type.Literal("assistant"), content: Type.String(), refusal: Type.Null() }),
      logprobs: Type.Null(),
      finish_reason: Type.String(),
    }),
  ),
  usage: ChatUsage,
});
export type ChatCompletion = Type.Static<typeof ChatCompletion>;

export const responseStatuses = ["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"] as const;
export type ResponseStatus = (typeof responseStatuses)[number];

const OutputText = Type.Object({
  type: Type.Literal("output_text"),
  text: Type.String(),
  annotations: Type.Array(Type.Unknown()),
  logprobs: Type.Array(Type.Unknown()),
});
export type OutputText = Type.Static<typeof OutputText>;

export const OutputMessage = Type.Object({
  id: Type.String({ description: "msg_<session id>" }),
  type: Type.Literal("message"),
  role: Type.Literal("assistant"),
  status: Type.Unsafe<"in_progress" | "completed" | "incomplete">(
    Type.String({ enum: ["in_progress", "completed", "incomplete"] }),
  ),
  content: Type.Array(OutputText),
});
export type OutputMessage = Type.Static<typeof OutputMessage>;

export const OpenaiResponse = Type.Object({
  id: Type.String({ description: "resp_<session id>" }),
  object: Type.Literal("response"),
  created_at: Type.Integer(),
  completed_at: orNull(Type.Integer()),
  status: Type.Unsafe<ResponseStatus>(Type.String({ enum: responseStatuses })),
  error: orNull(Type.Object({ code: Type.String(), message: Type.String() })),
  incomplete_details: orNull(Type.Object({ reason: Type.Literal("max_output_tokens") })),
  instructions: Type.Null({ description: "They stand in the session as its first system message" }),
  metadata: Type.Record(Type.String(), Type.String()),
  model: Type.String({ description: "The model that answered; until then the one that was asked for" }),
  output: Type.Array(OutputMessage),
  parallel_tool_calls: Type.Boolean(),
  temperature: orNull(Type.Number()),
  top_p: orNull(Type.Number()),
  max_output_tokens: orNull(Type.Integer()),
  tool_choice: Type.Literal("none"),
  tools: Type.Array(Type.Never()),
  text: Type.Object({ format: Type.Object({ type: Type.Literal("text") }) }),
  truncation: Type.Literal("disabled"),
  access_programs: Type.Null(),
  usage: orNull(
    Type.Object({
      input_tokens: Type.Integer(),
      input_tokens_details: Type.Object({ cached_tokens: Type.Integer() }, { description: "0: not counted" }),
      output_tokens: Type.Integer(),
      output_tokens_details: Type.Object({ reasoning_tokens: Type.Integer() }, { description: "0: not counted" }),
      total_tokens: Type.Integer(),
    }),
  ),
});
export type OpenaiResponse = Type.Static<typeof OpenaiResponse>;

export const OpenaiModel = Type.Object({
  id: Type.String({ maxLength: 256 }),
  object: Type.Literal("model"),
  created: Type.Integer({ minimum: 0, description: "As the model service says; 0 when it says nothing" }),
  owned_by: Type.String({ maxLength: 256, description: "As the model service says" }),
});
export type OpenaiModel = Type.Static<typeof OpenaiModel>;

export const OpenaiModelList = Type.Object({ object: Type.Literal("list"), data: Type.Array(OpenaiModel) });
export type OpenaiModelList = Type.Static<typeof OpenaiModelList>;

/** What stands before a session's id in the ids of this face. */
export const openaiIdPrefixes = { chat: "chatcmpl-", response: "resp_", message: "msg_" } as const;
