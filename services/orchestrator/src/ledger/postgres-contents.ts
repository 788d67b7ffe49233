import type { Digest } from "@soma/contracts/ids";
import type { SealedContent } from "../contents/content-vault.ts";
import type { Subject } from "../contents/subject.ts";
import type { Query } from "./postgres-database.ts";
import { bytesOf, textOf } from "./stored-row.ts";

/** Inserts what is not there; the same text of the same subject again is the same content. In one order, as every writer does. */
export async function insertContents(query: Query, contents: readonly SealedContent[]): Promise<void> {
  if (contents.length === 0) return;
  const sorted = contents.toSorted((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1));
  await query(
    `INSERT INTO soma.contents (tenant, user_id, digest, media_type, key_id, sealed)
     SELECT tenant, user_id, digest, media_type, key_id, sealed
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[])
       WITH ORDINALITY AS n (tenant, user_id, digest, media_type, key_id, sealed, place)
     ORDER BY place ON CONFLICT DO NOTHING`,
    [
      sorted.map(({ tenant }) => tenant),
      sorted.map(({ user }) => user),
      sorted.map(({ digest }) => digest),
      sorted.map(({ mediaType }) => mediaType),
      sorted.map(({ keyId }) => keyId),
      sorted.map(({ sealed }) => Buffer.from(sealed)),
    ],
  );
}

export async function findContent(
  query: Query,
  { tenant, user }: Subject,
  digest: Digest,
): Promise<Omit<SealedContent, "mediaType"> | undefined> {
  const [row] = await query(
    "SELECT key_id, sealed FROM soma.contents WHERE tenant = $1 AND user_id = $2 AND digest = $3",
    [tenant, user, digest],
  );
  return row && { tenant, user, digest, keyId: textOf(row, "key_id"), sealed: bytesOf(row, "sealed") };
}

function orderOf({ user, digest }: SealedContent): string {
  return `${digest} ${user}`;
}
