import { randomUUID } from "node:crypto";
import type { IssuedToken, IssueTokenRequest, TokenClaims } from "@soma/contracts/identity";
import { orchestratorAudience } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import { SignJWT } from "jose";
import { checkMfa, type MfaDeps } from "../check-mfa.ts";
import type { KeyRing } from "../keys/key-ring.ts";
import type { RegisteredUser, Registry } from "../registry/parse-registry.ts";
import { tokenLimits } from "../token-limits.ts";
import { grantCapabilities } from "./grant-capabilities.ts";

export interface IssueDeps {
  readonly registry: () => Registry;
  readonly keys: KeyRing;
  readonly mfa: MfaDeps;
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Header `typ` of our tokens (RFC 9068, section 2.1): an ID token of the same keys can never pass for one. */
export const accessTokenType = "at+jwt";

/**
 * Issues a token for a user to a service: granted = requested ∩ user ∩ agent ∩ service, and nothing else.
 *
 * @throws DomainError IDENTITY_DENIED when nothing is granted – the same whether tenant, user or agent is unknown, the
 *   audience is not the service's, or no capability is left – and MFA_REQUIRED when a one-time code is needed.
 */
export async function issueToken(deps: IssueDeps, service: string, request: IssueTokenRequest): Promise<IssuedToken> {
  if (request.step !== undefined && request.session_id === undefined)
    throw new DomainError("VALIDATION_FAILED", "/session_id: is required with step.", {
      fields: [{ pointer: "/session_id", detail: "is required with step" }],
    });
  const audience = request.audience ?? orchestratorAudience;
  const granted = grant(deps.registry(), service, audience, request);
  if (granted === undefined)
    throw new DomainError("IDENTITY_DENIED", "Nothing of what was asked for is granted to this user here.");
  const { user, scopes } = granted;
  if (user.mfaRequired && !isStepToken(audience, request))
    checkMfa(deps.mfa, { tenant: request.tenant_id, user: request.user_id, entry: user }, request.mfa_code);

  const issuedAt = Math.floor(deps.clock() / 1_000);
  const lifetime = lifetimeSeconds(request);
  const claims: TokenClaims = {
    iss: deps.issuer,
    sub: request.user_id,
    aud: audience,
    jti: randomUUID(),
    iat: issuedAt,
    exp: issuedAt + lifetime,
    tenant_id: request.tenant_id,
    scope: scopes.join(" "),
    role: user.role,
    ...(request.agent_id !== undefined && { agent_id: request.agent_id }),
    ...(request.session_id !== undefined && { session_id: request.session_id }),
    ...(request.step !== undefined && { step: request.step }),
  };
  const key = deps.keys.signingKey();
  const token = await new SignJWT({ ...claims })
    .setProtectedHeader({ alg: key.alg, typ: accessTokenType, kid: key.kid })
    .sign(key.privateKey);
  return { token, expires_in: lifetime, token_type: "Bearer" };
}

function grant(
  registry: Registry,
  service: string,
  audience: string,
  request: IssueTokenRequest,
): { user: RegisteredUser; scopes: string[] } | undefined {
  const rights = registry.services.get(service);
  const tenant = registry.tenants.get(request.tenant_id);
  const user = tenant?.users.get(request.user_id);
  if (!rights?.audiences.has(audience) || !tenant || !user) return undefined;
  const limits = [user.capabilities, rights.capabilities];
  if (request.agent_id !== undefined) limits.push(tenant.agents.get(request.agent_id) ?? new Set());
  const scopes = grantCapabilities(request.capabilities, ...limits);
  return scopes.length === 0 ? undefined : { user, scopes };
}

/**
 * A token for one step of a session that already runs, accepted by another service than the orchestrator. The user
 * showed a code when the session was started with a token for the orchestrator; nobody sits at a running session who
 * could show one for every step. So that this is no way around the code, the exemption needs both: a session, which
 * caps the lifetime at five minutes, and another audience, so that no session can be started or read with it.
 */
function isStepToken(audience: string, { session_id: session }: IssueTokenRequest): boolean {
  return session !== undefined && audience !== orchestratorAudience;
}

function lifetimeSeconds({ ttl_seconds: asked, session_id: session }: IssueTokenRequest): number {
  const cap = session === undefined ? tokenLimits.userTtlSeconds : tokenLimits.stepTtlSeconds;
  return Math.min(asked ?? tokenLimits.defaultTtlSeconds, cap);
}
