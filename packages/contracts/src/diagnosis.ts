import { Type } from "typebox";
import { SessionIdSchema } from "./ids.ts";
import { SessionStatusSchema } from "./session.ts";
import { dependencies, type Dependency } from "./wire-names.ts";

const closed = { additionalProperties: false } as const;

/** Why a session is where it is; the nearest cause stands first in a diagnosis. */
export const causeCodes = [
  "ended",
  "canceling",
  "tenant_suspended",
  "paused",
  "waiting_approval",
  "waiting_budget",
  "dependency_down",
  "quota",
  "no_workflow",
  "no_worker",
  "retrying",
  "queued",
  "waiting_input",
  "moving",
  "unknown",
] as const;
export type CauseCode = (typeof causeCodes)[number];

export const Cause = Type.Object(
  {
    code: Type.Unsafe<CauseCode>(Type.String({ enum: causeCodes })),
    since: Type.Optional(Type.String({ description: "RFC 3339, UTC; absent when it is not known" })),
    what: Type.String({ description: "What holds it up, in a sentence" }),
    would_move: Type.String({ description: "The action, or the operator's step, that would move it" }),
    details: Type.Optional(
      Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
        description: "Ids, counts, codes and times; never a text of a user's",
      }),
    ),
  },
  closed,
);
export type Cause = Type.Static<typeof Cause>;

/** `GET /v1/sessions/{id}/diagnosis`. */
export const SessionDiagnosis = Type.Object(
  {
    session_id: SessionIdSchema,
    status: SessionStatusSchema,
    as_of: Type.String({ description: "RFC 3339, UTC" }),
    causes: Type.Array(Cause, { minItems: 1 }),
    not_asked: Type.Array(
      Type.Object(
        {
          dependency: Type.Unsafe<Dependency>(Type.String({ enum: dependencies })),
          what: Type.String({ description: "What this diagnosis therefore does not know" }),
        },
        closed,
      ),
      { description: "Who gave no answer while this was looked into" },
    ),
  },
  closed,
);
export type SessionDiagnosis = Type.Static<typeof SessionDiagnosis>;
