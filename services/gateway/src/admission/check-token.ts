import type { GatewayParts } from "../gateway.ts";
import { AccessRefused } from "./access-refused.ts";
import { checkStrangers } from "./check-strangers.ts";
import type { Visit } from "./visit.ts";

/**
 * The caller is whom the identity service says the token is. All bad tokens are answered alike; which it was is for us
 * to know. A token that was not seen to be good before takes its turn among those of its address, so that a flood of
 * bad ones does not reach the identity service.
 */
export async function checkToken(visit: Visit, parts: GatewayParts): Promise<void> {
  const { tokens, strangers } = parts;
  const { authorization } = visit.request.headers;
  if (authorization === undefined) throw unauthenticated("no_token");
  const [, token] = /^Bearer ([A-Za-z0-9_.-]{1,8192})$/.exec(authorization) ?? [];
  if (token === undefined) throw unauthenticated("malformed");
  const stranger = !tokens.wasGood(token);
  if (stranger) await checkStrangers(visit, parts);
  const judged = await tokens.judge(token);
  if ("refused" in judged) throw unauthenticated(judged.refused);
  if (stranger) strangers.giveBack(visit.request.ip);
  visit.caller = judged.caller;
}

function unauthenticated(reason: AccessRefused["reason"]): AccessRefused {
  return new AccessRefused(
    reason,
    "UNAUTHENTICATED",
    "Send a valid access token for this service: authorization: Bearer <token>.",
  );
}
