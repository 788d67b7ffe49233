import { DomainError } from "@soma/kit/domain-error";
import type { Caller, Principal } from "../../access/principal.ts";

/**
 * Who acts, from the token alone: nothing in a body of OpenAI's names a tenant.
 *
 * @throws DomainError UNAUTHENTICATED on loopback without a token
 */
export function tokenPrincipal(caller: Caller): Principal {
  if (caller.authn === "token") {
    const { tenant, user, role, authn, token } = caller;
    return { tenant, user, role, authn, token };
  }
  throw new DomainError(
    "UNAUTHENTICATED",
    "These routes take tenant and user from the token alone, on loopback as well: give an access token or an API key as the client's api_key.",
  );
}
