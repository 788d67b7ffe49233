import { TenantIdSchema } from "@soma/contracts/ids";
import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import { Type } from "typebox";

const closed = { additionalProperties: false } as const;

export const TenantParams = Type.Object({ tenant: TenantIdSchema }, closed);

/** Headers of every change. */
export const ChangeHeaders = Type.Object({
  [idempotencyKeyHeader]: Type.Optional(
    Type.String({ pattern: "^[\\x21-\\x7e]{1,255}$", description: "Same key and body within 24 h: the same answer" }),
  ),
});
