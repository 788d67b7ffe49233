import type { Digest } from "@soma/contracts/ids";
import type { ChatMessage } from "@soma/contracts/session";
import { DomainError } from "@soma/kit/domain-error";
import type { SessionRow } from "../ledger/session-row.ts";
import { readChatPrompt } from "../sessions/session-prompt.ts";
import type { ActivityDeps } from "./activity-deps.ts";

/** What was asked under a digest, as messages. */
export async function readMessages(
  deps: Pick<ActivityDeps, "ledger">,
  row: SessionRow,
  digest: Digest,
  format: "chat" | undefined,
): Promise<ChatMessage[]> {
  const text = await readText(deps, row, digest);
  return format === "chat" ? readChatPrompt(text).messages : [{ role: "user", content: text }];
}

/** A text that the ledger names. @throws DomainError CONTENT_ERASED and the like, INTERNAL when it is not there */
export async function readText(deps: Pick<ActivityDeps, "ledger">, row: SessionRow, digest: Digest): Promise<string> {
  const bytes = await deps.ledger.readContent({ tenant: row.tenant, user: row.user, digest });
  if (!bytes) throw new DomainError("INTERNAL", "A text that the ledger names is not in the content store.");
  return Buffer.from(bytes).toString("utf8");
}
