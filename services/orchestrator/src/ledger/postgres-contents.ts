import type { Digest } from "@soma/contracts/ids";
import type { NewContent } from "./content.ts";
import type { Query } from "./postgres-database.ts";
import { bytesOf } from "./stored-row.ts";

/** Inserts what is not there; the same text again is the same content. In the order of digests, as every writer does. */
export async function insertContents(query: Query, contents: readonly NewContent[]): Promise<void> {
  if (contents.length === 0) return;
  const sorted = contents.toSorted((one, other) => (one.digest < other.digest ? -1 : 1));
  await query(
    `INSERT INTO soma.contents (tenant, digest, media_type, bytes)
     SELECT tenant, digest, media_type, bytes
     FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
       WITH ORDINALITY AS n (tenant, digest, media_type, bytes, place)
     ORDER BY place ON CONFLICT DO NOTHING`,
    [
      sorted.map(({ tenant }) => tenant),
      sorted.map(({ digest }) => digest),
      sorted.map(({ mediaType }) => mediaType),
      sorted.map(({ bytes }) => Buffer.from(bytes)),
    ],
  );
}

export async function findContent(query: Query, tenant: string, digest: Digest): Promise<Uint8Array | undefined> {
  const [row] = await query("SELECT bytes FROM soma.contents WHERE tenant = $1 AND digest = $2", [tenant, digest]);
  return row === undefined ? undefined : bytesOf(row, "bytes");
}
