import type { TrustedIssuer } from "@soma/contracts/tenant";
import { api, type startIssuer } from "./oidc-issuer.ts";
import type { startIdentity } from "./start-identity.ts";

type Running = Awaited<ReturnType<typeof startIdentity>>;
type Issuer = Awaited<ReturnType<typeof startIssuer>>;

/** Has a tenant trust an issuer, as its admin would; `changes` are his words. */
export function trustOf(
  issuer: Pick<Issuer, "issuer" | "jwksUri">,
  changes: Partial<TrustedIssuer> = {},
): TrustedIssuer {
  return {
    issuer: issuer.issuer,
    jwks_uri: issuer.jwksUri,
    audience: api,
    algorithms: ["RS256"],
    user_claim: "sub",
    roles: {},
    default_role: "operator",
    ...changes,
  };
}

/** Tells the service whom a tenant trusts from now on. */
export async function trust(running: Running, issuers: readonly TrustedIssuer[], tenant = "acme"): Promise<void> {
  const before = (await running.manage("GET", `/v1/tenants/${tenant}`)).json().version ?? 0;
  const entry = { version: Number(before) + 1, status: "active", issuers };
  const answer = await running.manage("PUT", `/v1/tenants/${tenant}`, entry);
  if (answer.statusCode !== 200) throw new Error(answer.body);
}

/** Tries to log in, as anybody would. */
export const logIn = (running: Running, token: string, request: object = {}) =>
  running.post("/v1/login", { tenant: "acme", token, ...request });

/** Why the service refuses, as it tells the gateway; `accepted` when it does not. */
export async function outcomeOf(running: Running, token: string, request: object = {}): Promise<string> {
  const body = { tenant: "acme", token, ...request };
  const answer = await running.post("/v1/login", body, running.secretOf("login"));
  if (answer.statusCode === 200) return "accepted";
  if (answer.statusCode !== 401) return `${String(answer.statusCode)} ${String(answer.json().code)}`;
  return String(answer.headers["x-soma-refusal"]);
}
