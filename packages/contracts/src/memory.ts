import { Type } from "typebox";
import { UserIdSchema } from "./ids.ts";

const closed = { additionalProperties: false } as const;

/** Bounds of what is remembered. */
export const memoryLimits = {
  valueBytes: 102_400,
  metadataBytes: 4_096,
  metadataKeys: 16,
  queryCharacters: 2_000,
  topK: 20,
  ttlSeconds: 315_360_000,
} as const;

/** No slash: a key stands in a path. */
const keyPattern = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,199}$/;
export const MemoryKey = Type.String({
  pattern: keyPattern.source,
  description: "Letters, digits and ._:@-, beginning with a letter or digit; at most 200",
});
const Metadata = Type.Record(Type.String({ minLength: 1, maxLength: 64 }), Type.Unknown(), {
  maxProperties: memoryLimits.metadataKeys,
  description: "Yours; at most 4 KiB, 16 keys, depth 8",
});
const Time = Type.String({ description: "RFC 3339, UTC" });

/** `POST /v1/remember`: takes the place of what was remembered under the key. */
export const RememberRequest = Type.Object(
  {
    key: MemoryKey,
    value: Type.String({ minLength: 1, maxLength: memoryLimits.valueBytes, description: "At most 100 KiB of UTF-8" }),
    metadata: Type.Optional(Metadata),
    ttl_seconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: memoryLimits.ttlSeconds,
        description: "For how long it is remembered; until it is erased unless given",
      }),
    ),
  },
  closed,
);
export type RememberRequest = Type.Static<typeof RememberRequest>;

export const Remembered = Type.Object(
  {
    key: MemoryKey,
    created: Type.Boolean({ description: "False when it took the place of another, or was stored before" }),
    passages: Type.Integer({ minimum: 1, description: "Parts that it can be found by" }),
    expires_at: Type.Optional(Time),
  },
  closed,
);
export type Remembered = Type.Static<typeof Remembered>;

/** The answer to `GET /v1/recall/{key}`, and a line of `GET /v1/export`. */
export const Memory = Type.Object(
  {
    key: MemoryKey,
    value: Type.String(),
    metadata: Type.Optional(Metadata),
    created_at: Time,
    updated_at: Time,
    expires_at: Type.Optional(Time),
  },
  closed,
);
export type Memory = Type.Static<typeof Memory>;

/** `POST /v1/rag/retrieve`. */
export const RetrieveRequest = Type.Object(
  {
    query: Type.String({ minLength: 1, maxLength: memoryLimits.queryCharacters }),
    top_k: Type.Integer({ minimum: 1, maximum: memoryLimits.topK }),
  },
  closed,
);
export type RetrieveRequest = Type.Static<typeof RetrieveRequest>;

/** A part of a memory. */
export const Passage = Type.Object(
  {
    key: MemoryKey,
    text: Type.String(),
    score: Type.Number({ minimum: -1, maximum: 1, description: "Cosine of the angle between query and passage" }),
  },
  closed,
);
export type Passage = Type.Static<typeof Passage>;

/** Best first. */
export const Retrieved = Type.Object({ passages: Type.Array(Passage, { maxItems: memoryLimits.topK }) }, closed);
export type Retrieved = Type.Static<typeof Retrieved>;

/** Whose memory `GET /v1/export` and `DELETE /v1/subject` are about; the tenant is the token's. */
export const SubjectQuery = Type.Object(
  {
    subject: Type.Unsafe<string>({ ...UserIdSchema, description: "The user whose memory it is" }),
  },
  closed,
);

/** What `DELETE /v1/subject` has erased: all zero when there was nothing, or not any more. */
export const ErasedSubject = Type.Object(
  {
    memories: Type.Integer({ minimum: 0 }),
    passages: Type.Integer({ minimum: 0 }),
    keys: Type.Integer({ minimum: 0, description: "Content keys destroyed" }),
  },
  closed,
);
export type ErasedSubject = Type.Static<typeof ErasedSubject>;
