import { Type } from "typebox";
import { errors, type ErrorCode } from "./error-codes.ts";

export const ErrorCodeSchema = Type.Unsafe<ErrorCode>(Type.String({ enum: Object.keys(errors) }));

/** One bad field: a JSON pointer (RFC 6901) into the body, or `query`/`header` and the name, and what is accepted. */
export const FieldError = Type.Object(
  {
    pointer: Type.String({ description: "JSON pointer of the field, e.g. /metadata/session_id" }),
    detail: Type.String({ description: "What is wrong and what is accepted" }),
  },
  { additionalProperties: false },
);
export type FieldError = Type.Static<typeof FieldError>;

/** RFC 9457 problem document, `application/problem+json`. Holds no upstream text and no stack. */
export const Problem = Type.Object({
  type: Type.String({ description: "urn:soma:problem:<code>" }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: ErrorCodeSchema,
  request_id: Type.String(),
  errors: Type.Optional(Type.Array(FieldError)),
});
export type Problem = Type.Static<typeof Problem>;
