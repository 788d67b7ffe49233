import type { Digest } from "@soma/contracts/ids";
import type { SealedContent } from "../contents/content-vault.ts";
import { contentErased } from "../contents/content-erased.ts";
import type { Subject } from "../contents/subject.ts";
import type { Query } from "./postgres-database.ts";
import { bytesOf, textOf } from "./stored-row.ts";

/** A content and a session that names it. */
export interface ContentName extends Subject {
  readonly digest: Digest;
  readonly sessionId: string;
}

/**
 * Inserts what is not there; the same text of the same subject again is the same content, and of one that was erased
 * nothing is left but this. In one order, as every writer does.
 */
export async function insertContents(query: Query, contents: readonly SealedContent[]): Promise<void> {
  if (contents.length === 0) return;
  // Each once: one statement cannot come to the same row twice.
  const single = new Map(contents.map((content) => [orderOf(content), content]));
  const sorted = [...single.values()].toSorted((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1));
  await query(
    `INSERT INTO soma.contents (tenant, user_id, digest, media_type, key_id, sealed)
     SELECT tenant, user_id, digest, media_type, key_id, sealed
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[])
       WITH ORDINALITY AS n (tenant, user_id, digest, media_type, key_id, sealed, place)
     ORDER BY place ON CONFLICT (tenant, user_id, digest) DO UPDATE
     SET media_type = excluded.media_type, key_id = excluded.key_id, sealed = excluded.sealed
     WHERE (SELECT k.wrapped FROM soma.content_keys k WHERE k.key_id = contents.key_id) IS NULL`,
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

/** Which sessions name them. */
export async function insertNames(query: Query, names: readonly ContentName[]): Promise<void> {
  if (names.length === 0) return;
  await query(
    `INSERT INTO soma.content_names (session_id, digest, tenant, user_id)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING`,
    [
      names.map(({ sessionId }) => sessionId),
      names.map(({ digest }) => digest),
      names.map(({ tenant }) => tenant),
      names.map(({ user }) => user),
    ],
  );
}

/** @throws DomainError CONTENT_ERASED */
export async function findContent(
  query: Query,
  { tenant, user }: Subject,
  digest: Digest,
): Promise<Omit<SealedContent, "mediaType"> | undefined> {
  // Whether a key stands is the database's to say: what a process remembers of it is older.
  const [row] = await query(
    `SELECT c.key_id, c.sealed, k.wrapped IS NULL AS erased
     FROM soma.contents c JOIN soma.content_keys k ON k.key_id = c.key_id
     WHERE c.tenant = $1 AND c.user_id = $2 AND c.digest = $3`,
    [tenant, user, digest],
  );
  if (row?.["erased"] === true) throw contentErased();
  return row && { tenant, user, digest, keyId: textOf(row, "key_id"), sealed: bytesOf(row, "sealed") };
}

function orderOf({ user, digest }: SealedContent): string {
  return `${digest} ${user}`;
}
