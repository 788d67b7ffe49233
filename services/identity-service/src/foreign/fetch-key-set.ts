import { Agent, request } from "undici";
import { guardedLookup, literalAddress, reachOf } from "./egress.ts";
import { readKeySet, type ForeignKey } from "./foreign-key.ts";
import { foreignLimits } from "./foreign-limits.ts";

interface FetchOptions {
  /** Whether http to this machine may be asked; https goes to the open internet alone. */
  readonly loopbackAllowed: boolean;
}

/**
 * Asks an issuer for its keys: one GET, no redirect, no credential, no cookie, two seconds and 64 KiB at most, to an
 * address that was looked at.
 *
 * @throws Error when there is no usable answer; its message names what happened and nothing that was sent.
 */
export async function fetchKeySet(
  uri: string,
  { loopbackAllowed }: FetchOptions,
): Promise<ReadonlyMap<string, ForeignKey>> {
  const url = new URL(uri);
  const mayReach = reachOf(url, loopbackAllowed);
  const literal = literalAddress(url);
  // No look-up happens for it, so the connection's own check never would.
  if (literal !== undefined && !mayReach(literal))
    throw new Error("the URL names an address that issuers may not have");
  const deadline = AbortSignal.timeout(foreignLimits.fetchDeadlineMs);
  // One for each fetch: nothing is kept that a later one could be sent along.
  const agent = new Agent({
    connect: { lookup: guardedLookup(mayReach), timeout: foreignLimits.fetchDeadlineMs },
    maxResponseSize: foreignLimits.keySetBytes,
  });
  try {
    return await Promise.race([ask(url, agent, deadline), whenAborted(deadline)]);
  } finally {
    await agent.destroy();
  }
}

async function ask(url: URL, dispatcher: Agent, signal: AbortSignal): Promise<ReadonlyMap<string, ForeignKey>> {
  const headers = { accept: "application/jwk-set+json, application/json" };
  const { statusCode, body } = await request(url, { dispatcher, signal, headers });
  if (statusCode !== 200) throw new Error(`the issuer answered ${String(statusCode)}`);
  const keys = readKeySet(parse(await body.text()));
  if (keys === undefined) throw new Error("the answer is no key set");
  return keys;
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    // The parser's message would quote the answer.
    return undefined;
  }
}

/** Undici hears of a signal only once there is a connection. */
function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error("no answer in time")), { once: true });
  });
}
