import { IssuedToken, TokenClaims, VerifiedToken, type IssueTokenRequest } from "@soma/contracts/identity";
import { Problem } from "@soma/contracts/problem";
import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import { readSecretFile } from "@soma/kit/secret-file";
import { Upstream, UpstreamError, type UpstreamAnswer } from "@soma/kit/upstream";
import { decodeJwt } from "jose";
import { Value } from "typebox/value";

const deadlineMs = 1_000;

/** A token with what it says of itself. */
export interface MintedToken {
  readonly token: string;
  readonly claims: TokenClaims;
}

export interface IdentityClient {
  /**
   * The same key with the same request gives the same token again.
   * @throws DomainError IDENTITY_DENIED, ACCESS_REVOKED when that is so because a parent was revoked,
   *   IDENTITY_UNAVAILABLE or IDENTITY_BAD_RESPONSE.
   */
  issue(request: IssueTokenRequest, idempotencyKey: string, signal: AbortSignal): Promise<MintedToken>;
  /** The claims of a valid token, `undefined` for any other. @throws DomainError as {@link issue}. */
  verify(token: string): Promise<TokenClaims | undefined>;
  /** Ends a token before its time. @throws DomainError as {@link issue}. */
  revoke(token: string): Promise<void>;
  /** Ends a token that only its id is known of, with all that derives from it. @throws DomainError as {@link issue}. */
  revokeById(jti: string): Promise<void>;
  checkHealth(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** `credentialFile` is read at each issuance, so that a rotated credential needs no restart. */
export function createIdentityClient(base: URL, credentialFile: string): IdentityClient {
  const upstream = new Upstream({ name: "identity-service", origin: base.origin, deadlineMs });
  const prefix = base.pathname.replace(/\/$/, "");

  async function post(
    path: string,
    body: unknown,
    options: { signal?: AbortSignal; headers?: Record<string, string> } = {},
  ): Promise<UpstreamAnswer> {
    try {
      return await upstream.postJson(prefix + path, body, options);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      throw error.fault === "unavailable" ? unavailable(error) : badResponse(error.message);
    }
  }

  return {
    async issue(request, idempotencyKey, signal) {
      const answer = await post("/v1/tokens/issue", request, {
        signal,
        headers: {
          authorization: `Bearer ${readCredential(credentialFile)}`,
          [idempotencyKeyHeader]: idempotencyKey,
        },
      });
      if (answer.status === 403 && blamesParent(answer.body))
        throw new DomainError("ACCESS_REVOKED", "The token that the session was started with was revoked.");
      if (answer.status === 403)
        throw new DomainError(
          "IDENTITY_DENIED",
          "The identity service grants this user and agent none of the capabilities that the step needs.",
        );
      assertOk(answer);
      if (!Value.Check(IssuedToken, answer.body)) throw badResponse("an issued token that does not fit the contract");
      return { token: answer.body.token, claims: readClaims(answer.body.token, request) };
    },
    async verify(token) {
      const answer = await post("/v1/tokens/verify", { token });
      // A token that is not even shaped like one is refused by the schema: for the caller that is the same.
      if (answer.status === 400) return undefined;
      assertOk(answer);
      if (!Value.Check(VerifiedToken, answer.body)) throw badResponse("a verification that does not fit the contract");
      if (!answer.body.valid) return undefined;
      if (answer.body.claims === undefined) throw badResponse("a valid token without claims");
      return answer.body.claims;
    },
    async revoke(token) {
      assertOk(await post("/v1/tokens/revoke", { token }));
    },
    async revokeById(jti) {
      const headers = { authorization: `Bearer ${readCredential(credentialFile)}` };
      assertOk(await post("/v1/tokens/revoke", { jti }, { headers }));
    },
    async checkHealth(signal) {
      const { status } = await upstream.getJson(`${prefix}/health`, { signal });
      if (status >= 500) throw new Error(`/health answered ${String(status)}`);
    },
    close: () => upstream.close(),
  };
}

/**
 * Reads the claims of a token that came straight from the identity service over our own connection, and checks that it
 * is for whom and what it was asked for: scopes and lifetime only shrink.
 */
function readClaims(token: string, request: IssueTokenRequest): TokenClaims {
  let claims: unknown;
  try {
    claims = decodeJwt(token);
  } catch {
    throw badResponse("a token that is no JWT");
  }
  if (!Value.Check(TokenClaims, claims)) throw badResponse("a token whose claims do not fit the contract");
  const asked = new Set(request.capabilities);
  const scopes = claims.scope.split(" ");
  const fits =
    claims.sub === request.user_id &&
    claims.tenant_id === request.tenant_id &&
    (request.audience === undefined || claims.aud === request.audience) &&
    isNothingElse(claims.agent_id, request.agent_id) &&
    isNothingElse(claims.act?.sub, request.agent_id) &&
    isNothingElse(claims.session_id, request.session_id) &&
    isNothingElse(claims.step, request.step) &&
    (request.ttl_seconds === undefined || claims.exp - claims.iat <= request.ttl_seconds);
  if (!fits || !scopes.every((scope) => asked.has(scope)))
    throw badResponse("a token for something else than was asked for");
  return claims;
}

/** A service that does not know the field may leave it out; one that names it names what was asked for. */
function isNothingElse(claim: string | undefined, asked: string | undefined): boolean {
  return claim === undefined || claim === asked;
}

/** Our identity service names the field that is to blame when that is the parent; any other reason it keeps to itself. */
function blamesParent(body: unknown): boolean {
  return Value.Check(Problem, body) && body.errors?.some(({ pointer }) => pointer === "/parent_jti") === true;
}

/** The service's own credential, as it is now. @throws DomainError IDENTITY_UNAVAILABLE. */
export function readCredential(file: string): string {
  try {
    return readSecretFile(file).toString("utf8").trim();
  } catch (error) {
    throw unavailable(error);
  }
}

function assertOk(answer: UpstreamAnswer): void {
  if (answer.status >= 500 || answer.status === 429)
    throw unavailable(new Error(`identity-service answered ${String(answer.status)}`));
  if (answer.status !== 200) throw badResponse(`status ${String(answer.status)}`);
}

/** The identity service did not answer. */
export function unavailable(cause: unknown): DomainError {
  return new DomainError("IDENTITY_UNAVAILABLE", "The identity service gave no answer in time; try again.", { cause });
}

/** The identity service answered what was not agreed. */
export function badResponse(what: string): DomainError {
  return new DomainError("IDENTITY_BAD_RESPONSE", "The identity service gave an answer that cannot be trusted.", {
    cause: new Error(`identity-service gave ${what}`),
  });
}
