import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import { Type } from "typebox";

/** Headers of the routes that make tokens. */
export const IdempotencyHeaders = Type.Object({
  [idempotencyKeyHeader]: Type.Optional(
    Type.String({
      pattern: "^[\\x21-\\x7e]{1,255}$",
      description: "Same key and request: the same token, while it is valid",
    }),
  ),
});
