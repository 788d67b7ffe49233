import { apiKeyUserPrefix } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import { workThrough } from "@soma/kit/work-through";
import type { SessionRow } from "../ledger/session-row.ts";
import type { StopDeps } from "./stop-deps.ts";

export interface Revocations {
  readonly revoked: number;
  readonly not_revoked: number;
  readonly api_keys: string[];
}

const atOnce = 8;

/**
 * Ends the tokens of the sessions' newest steps, and with `logins` those that the sessions were started with. An API key
 * is none of them: it belongs to a program that may do other things, and to end it is a decision of its own.
 *
 * @param spared the id of the token of whoever stops: he must still hear of it
 */
export async function revokeTokens(
  { identity }: Pick<StopDeps, "identity">,
  rows: readonly SessionRow[],
  { logins, spared, now }: { readonly logins: boolean; readonly spared: string; readonly now: Date },
): Promise<Revocations> {
  const ids = new Set<string>();
  const keys = new Set<string>();
  for (const { token, token_jti: login } of rows) {
    if (token !== undefined && Date.parse(token.expires_at) > now.getTime()) ids.add(token.jti);
    if (login?.startsWith(apiKeyUserPrefix) === true) keys.add(login.slice(apiKeyUserPrefix.length));
    else if (logins && login !== undefined && login !== spared) ids.add(login);
  }
  let revoked = 0;
  await workThrough(ids, atOnce, async (id) => {
    try {
      await identity.revokeById(id);
      revoked += 1;
    } catch (error) {
      // It runs out by itself; that it was not revoked is part of the answer.
      if (!(error instanceof DomainError)) throw error;
    }
  });
  return { revoked, not_revoked: ids.size - revoked, api_keys: [...keys].toSorted() };
}
