import type { Digest } from "@soma/contracts/ids";
import type { TextsGone } from "@soma/contracts/session";
import { DomainError } from "@soma/kit/domain-error";
import type { Ledger } from "../ledger/ledger.ts";
import type { SessionRow } from "../ledger/session-row.ts";

/**
 * A text that a session names, or why there is none any more: a person's texts are erased, and old ones are cut, while
 * the session stays.
 *
 * @throws DomainError INTERNAL for a text that should be there, CONTENT_KEY_UNAVAILABLE, CONTENT_UNREADABLE, AUDIT_UNAVAILABLE
 */
export async function readText(
  ledger: Pick<Ledger, "readContent" | "gapOf">,
  { tenant, user, session_id: sessionId }: SessionRow,
  digest: Digest,
): Promise<{ readonly text: string } | { readonly gone: TextsGone }> {
  try {
    const bytes = await ledger.readContent({ tenant, user, digest });
    if (bytes !== undefined) return { text: Buffer.from(bytes).toString("utf8") };
  } catch (error) {
    if (error instanceof DomainError && error.code === "CONTENT_ERASED") return { gone: "erased" };
    throw error;
  }
  if ((await ledger.gapOf({ tenant, sessionId })) !== undefined) return { gone: "retention" };
  throw new DomainError("INTERNAL", "A text of the session is not in the content store; its digest is in the ledger.");
}
