import { randomUUID } from "node:crypto";
import {
  maxDelegationDepth,
  maxOrigins,
  tokenTypes,
  type ExchangedToken,
  type ExchangeTokenRequest,
  type TokenClaims,
} from "@soma/contracts/identity";
import { digestOf } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import type { Principals } from "../principals/principals.ts";
import { tokenLimits } from "../token-limits.ts";
import { actorChain, actorNames, actorOfService, rightsOfActor } from "./actors.ts";
import { claimsOnce } from "./claims-once.ts";
import { grantCapabilities } from "./grant-capabilities.ts";
import { isStepToken, type IssueDeps, type Issued } from "./issue-token.ts";
import { signToken } from "./sign-token.ts";
import { verifyToken } from "./verify-token.ts";

/**
 * Exchanges a token that was meant for the service for one that it can show to another (RFC 8693). User, tenant,
 * session, step, role and the one-time code that was shown stay; rights are what was asked for ∩ user ∩ role ∩ subject ∩
 * actor ∩ service; it lives no longer than what it derives from and five minutes at most, and ends with it when that is revoked.
 *
 * @throws DomainError TOKEN_NOT_ACCEPTED for a token that is not valid or not of this user's, IDENTITY_DENIED when
 *   nothing is granted, DELEGATION_TOO_DEEP, MFA_REQUIRED, VALIDATION_FAILED, IDEMPOTENCY_KEY_REUSED.
 */
export async function exchangeToken(
  deps: IssueDeps,
  service: string,
  request: ExchangeTokenRequest,
  key?: string,
): Promise<Issued<ExchangedToken>> {
  assertActorType(request);
  const rights = deps.registry().services.get(service);
  if (!rights?.exchange.to.has(request.audience)) throw denied();
  const subject = await accept(deps, request.subject_token, "/subject_token");
  const actor = await acceptActor(deps, request.actor_token, subject);
  // A token that was not meant for the service came to it by a way that nobody agreed to.
  if (![subject, ...(actor ? [actor] : [])].every(({ aud }) => rights.exchange.from.has(aud))) throw denied();

  const names = [actor?.agent_id ?? actorOfService(service), ...actorNames(subject.act)] as const;
  const origins = [...new Set([subject, ...(actor ? [actor] : [])].flatMap(lineageOf))];
  if (names.length > maxDelegationDepth || origins.length >= maxOrigins)
    throw new DomainError("DELEGATION_TOO_DEEP", "The subject token was passed on as often as one can be.");
  const scopes = narrow(deps.principals, request, subject, actor, names);
  if (scopes.length === 0) throw denied();
  assertCodeShown(deps.principals, request.audience, subject);

  const nowSeconds = (): number => Math.floor(deps.clock() / 1_000);
  const lifetime = Math.min(
    tokenLimits.stepTtlSeconds,
    ...[subject, actor ?? subject].map(({ exp }) => exp - nowSeconds()),
  );
  // Still accepted within the leeway, but what derives from it would have to outlive it.
  if (lifetime < 1) throw notAccepted("/subject_token", "has expired");
  const { subject_token: _subject, actor_token: _actor, ...asked } = request;
  const { sub, tenant_id, role, session_id, step, amr } = subject;
  const agent = actor?.agent_id ?? subject.agent_id;
  const scope = scopes.join(" ");
  const { claims, repeated } = claimsOnce(
    deps,
    {
      service,
      key,
      digest: digestOf({ exchange: { ...asked, subject: subject.jti, actor: actor?.jti } }),
      granted: { scope, role },
    },
    (): TokenClaims => ({
      iss: deps.issuer,
      sub,
      aud: request.audience,
      jti: randomUUID(),
      iat: nowSeconds(),
      exp: nowSeconds() + lifetime,
      tenant_id,
      scope,
      role,
      ...(agent !== undefined && { agent_id: agent }),
      ...(session_id !== undefined && { session_id }),
      ...(step !== undefined && { step }),
      act: actorChain(names),
      origins,
      ...(amr !== undefined && { amr }),
    }),
  );
  const answer: ExchangedToken = {
    access_token: await signToken(deps.keys, claims),
    issued_token_type: request.requested_token_type ?? tokenTypes[0],
    token_type: "Bearer",
    expires_in: claims.exp - nowSeconds(),
    scope: claims.scope,
  };
  return { answer, repeated };
}

/** RFC 8693, section 2.1: the type stands with the actor's token, and never without it. */
function assertActorType({ actor_token: token, actor_token_type: type }: ExchangeTokenRequest): void {
  if ((token === undefined) === (type === undefined)) return;
  const pointer = token === undefined ? "/actor_token" : "/actor_token_type";
  const detail = "actor_token and actor_token_type are sent together or not at all";
  throw new DomainError("VALIDATION_FAILED", `${pointer}: ${detail}.`, { fields: [{ pointer, detail }] });
}

async function accept(deps: IssueDeps, token: string, pointer: string): Promise<TokenClaims> {
  const verification = await verifyToken(deps, token);
  if (!verification.valid) throw notAccepted(pointer, "is not a valid token of this service");
  return verification.claims;
}

/** The actor is an agent that acts for the same user, first hand, and in no other session. */
async function acceptActor(
  deps: IssueDeps,
  token: string | undefined,
  subject: TokenClaims,
): Promise<TokenClaims | undefined> {
  if (token === undefined) return undefined;
  const actor = await accept(deps, token, "/actor_token");
  const fits =
    actor.agent_id !== undefined &&
    actorNames(actor.act).length <= 1 &&
    actor.tenant_id === subject.tenant_id &&
    actor.sub === subject.sub &&
    (actor.session_id === undefined || actor.session_id === subject.session_id);
  if (!fits) throw notAccepted("/actor_token", "is not that of an agent which acts for the subject's user here");
  return actor;
}

function narrow(
  principals: Principals,
  request: ExchangeTokenRequest,
  subject: TokenClaims,
  actor: TokenClaims | undefined,
  names: readonly string[],
): string[] {
  const asked = request.scope?.split(" ") ?? subject.scope.split(" ");
  const held = [subject, ...(actor ? [actor] : [])].map(({ scope }) => new Set(scope.split(" ")));
  const { tenant_id: tenant, sub } = subject;
  const user = principals.find(tenant, sub);
  if (user === undefined) return [];
  const limits = names.map((name) => rightsOfActor(principals, tenant, name));
  return grantCapabilities([...new Set(asked)], { tenant, ...user }, ...held, ...limits);
}

/** An exchange is no way around the code: see `isStepToken` for the one exemption. */
function assertCodeShown(principals: Principals, audience: string, subject: TokenClaims): void {
  const user = principals.find(subject.tenant_id, subject.sub);
  if (user?.mfaRequired === true && subject.amr === undefined && !isStepToken(audience, subject))
    throw new DomainError(
      "MFA_REQUIRED",
      "The subject token was issued without a one-time code, which this user needs.",
    );
}

function lineageOf({ jti, origins = [] }: TokenClaims): string[] {
  return [jti, ...origins];
}

function denied(): DomainError {
  return new DomainError("IDENTITY_DENIED", "Nothing of what was asked for is granted in this exchange.");
}

function notAccepted(pointer: string, detail: string): DomainError {
  return new DomainError("TOKEN_NOT_ACCEPTED", `${pointer}: ${detail}.`, { fields: [{ pointer, detail }] });
}
