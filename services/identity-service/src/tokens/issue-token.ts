import { randomUUID } from "node:crypto";
import { maxOrigins, type IssuedToken, type IssueTokenRequest, type TokenClaims } from "@soma/contracts/identity";
import { orchestratorAudience } from "@soma/contracts/wire-names";
import { digestOf } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import { checkMfa, type MfaDeps } from "../check-mfa.ts";
import type { Principal } from "../principals/principal.ts";
import { tokenLimits } from "../token-limits.ts";
import { claimsOnce, type OnceDeps } from "./claims-once.ts";
import { grantCapabilities } from "./grant-capabilities.ts";
import { signToken } from "./sign-token.ts";
import type { VerifyDeps } from "./verify-token.ts";

export interface IssueDeps extends OnceDeps, VerifyDeps {
  readonly mfa: MfaDeps;
}

/** `repeated`: the same token was given for the same key before. */
export interface Issued<Answer> {
  readonly answer: Answer;
  readonly repeated: boolean;
}

/**
 * Issues a token for a user to a service: granted = requested ∩ user ∩ role ∩ agent ∩ service, and nothing else. With an
 * idempotency key the same request gets the same claims again.
 *
 * @throws DomainError IDENTITY_DENIED when nothing is granted – the same whether tenant, user or agent is unknown, the
 *   audience is not the service's, or no capability is left – or, with the field that is to blame, when the parent was
 *   revoked; MFA_REQUIRED when a one-time code is needed; IDEMPOTENCY_KEY_REUSED.
 */
export async function issueToken(
  deps: IssueDeps,
  service: string,
  request: IssueTokenRequest,
  key?: string,
): Promise<Issued<IssuedToken>> {
  requireWith(request, "step", "session_id");
  requireWith(request, "parent_origins", "parent_jti");
  const origins = originsOf(request);
  if (origins.some((jti) => deps.revocations.isRevoked(jti))) throw parentRevoked();
  const audience = request.audience ?? orchestratorAudience;
  const granted = grant(deps, service, audience, request);
  // A session's step names the token that the session was started with, and so needs one place more.
  if (granted === undefined || (audience === orchestratorAudience && origins.length === maxOrigins)) throw denied();
  const { user } = granted;
  const scope = granted.scopes.join(" ");

  const digest = digestOf({ issue: request });
  const { claims, repeated } = claimsOnce(
    deps,
    { service, key, digest, granted: { scope, role: user.role } },
    (): TokenClaims => {
      const needsCode = user.mfaRequired && !isStepToken(audience, request);
      if (needsCode)
        checkMfa(deps.mfa, { tenant: request.tenant_id, user: request.user_id, entry: user }, request.mfa_code);
      const issuedAt = Math.floor(deps.clock() / 1_000);
      return {
        iss: deps.issuer,
        sub: request.user_id,
        aud: audience,
        jti: randomUUID(),
        iat: issuedAt,
        exp: issuedAt + lifetimeSeconds(request),
        tenant_id: request.tenant_id,
        scope,
        role: user.role,
        ...(request.agent_id !== undefined && { agent_id: request.agent_id }),
        ...(request.session_id !== undefined && { session_id: request.session_id }),
        ...(request.step !== undefined && { step: request.step }),
        ...(request.agent_id !== undefined && { act: { sub: request.agent_id } }),
        ...(origins.length > 0 && { origins }),
        ...(needsCode && { amr: ["otp"] }),
      };
    },
  );
  const expiresIn = claims.exp - Math.floor(deps.clock() / 1_000);
  const token = await signToken(deps.keys, claims);
  return { answer: { token, expires_in: expiresIn, token_type: "Bearer" }, repeated };
}

function requireWith(
  request: IssueTokenRequest,
  field: keyof IssueTokenRequest,
  needed: keyof IssueTokenRequest,
): void {
  if (request[field] === undefined || request[needed] !== undefined) return;
  const detail = `is required with ${field}`;
  throw new DomainError("VALIDATION_FAILED", `/${needed}: ${detail}.`, { fields: [{ pointer: `/${needed}`, detail }] });
}

/** The tokens that this one is to end with. */
function originsOf({ parent_jti: parent, parent_origins: earlier = [] }: IssueTokenRequest): string[] {
  return parent === undefined ? [] : [...new Set([parent, ...earlier])];
}

function grant(
  { registry, principals }: IssueDeps,
  service: string,
  audience: string,
  request: IssueTokenRequest,
): { user: Principal; scopes: string[] } | undefined {
  const { tenant_id: tenant, user_id, agent_id: agent } = request;
  const rights = registry().services.get(service);
  const user = principals.find(tenant, user_id);
  if (!rights?.audiences.has(audience) || !user) return undefined;
  const limits = [rights.capabilities];
  if (agent !== undefined) limits.push(principals.rightsOfAgent(tenant, agent));
  const scopes = grantCapabilities(request.capabilities, { tenant, ...user }, ...limits);
  return scopes.length === 0 ? undefined : { user, scopes };
}

/**
 * A token for one step of a session that already runs, accepted by another service than the orchestrator. The user
 * showed a code when the session was started with a token for the orchestrator; nobody sits at a running session who
 * could show one for every step. So that this is no way around the code, the exemption needs both: a session, which
 * caps the lifetime at five minutes, and another audience, so that no session can be started or read with it.
 */
export function isStepToken(audience: string, { session_id: session }: Pick<TokenClaims, "session_id">): boolean {
  return session !== undefined && audience !== orchestratorAudience;
}

function lifetimeSeconds({ ttl_seconds: asked, session_id: session }: IssueTokenRequest): number {
  const cap = session === undefined ? tokenLimits.userTtlSeconds : tokenLimits.stepTtlSeconds;
  return Math.min(asked ?? tokenLimits.defaultTtlSeconds, cap);
}

function denied(): DomainError {
  return new DomainError("IDENTITY_DENIED", "Nothing of what was asked for is granted to this user here.");
}

/** Named, so that a session can say why it ends; who asks knows the id already. */
function parentRevoked(): DomainError {
  return new DomainError("IDENTITY_DENIED", "/parent_jti: was revoked, or one that it derives from was.", {
    fields: [{ pointer: "/parent_jti", detail: "was revoked, or one that it derives from was" }],
  });
}
