import type { KeyHolder, StoredContentKey } from "../contents/content-key-store.ts";
import { bytesOf, integerOf, optionalTextOf, textOf, type StoredRow } from "./stored-row.ts";

/** Columns of `content_keys` that {@link contentKeyOf} reads. */
export const contentKeyColumns = "key_id, tenant, user_id, generation, master_key_id, wrapped";

export function contentKeyOf(row: StoredRow): StoredContentKey {
  const masterKeyId = optionalTextOf(row, "master_key_id");
  return {
    keyId: textOf(row, "key_id"),
    tenant: textOf(row, "tenant"),
    user: textOf(row, "user_id"),
    generation: integerOf(row, "generation"),
    ...(masterKeyId !== undefined && { wrapped: { masterKeyId, bytes: bytesOf(row, "wrapped") } }),
  };
}

export function keyHolderOf(row: StoredRow): KeyHolder {
  const masterKeyId = optionalTextOf(row, "master_key_id");
  return {
    tenant: textOf(row, "tenant"),
    keys: integerOf(row, "keys"),
    ...(masterKeyId !== undefined && { masterKeyId }),
  };
}
