import { ExchangedToken, TokenClaims, tokenExchangeGrant, tokenTypes } from "@soma/contracts/identity";
import { slmAudience, type Capability } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import { readSecretFile } from "@soma/kit/secret-file";
import { Upstream, UpstreamError, type UpstreamAnswer } from "@soma/kit/upstream";
import { Type } from "typebox";
import { Value } from "typebox/value";

const deadlineMs = 1_000;
const embedding: Capability = "model.embed";

/** Open to what a later identity service says beside it. */
const Verified = Type.Object({ valid: Type.Boolean(), claims: Type.Optional(TokenClaims) });

/** Asks the identity service, as the service `memory-gateway`. */
export class IdentityClient {
  readonly #upstream: Upstream;
  readonly #prefix: string;
  readonly #credentialFile: string;

  /** The credential is read at each exchange, so that a rotated one needs no restart. */
  constructor(base: URL, credentialFile: string) {
    this.#upstream = new Upstream({ name: "identity-service", origin: base.origin, deadlineMs });
    this.#prefix = base.pathname.replace(/\/$/, "");
    this.#credentialFile = credentialFile;
  }

  /** The claims of a valid token, `undefined` for any other. @throws DomainError IDENTITY_UNAVAILABLE, IDENTITY_BAD_RESPONSE */
  async verify(token: string): Promise<TokenClaims | undefined> {
    const answer = await this.#post("/v1/tokens/verify", { token });
    // A token that is not even shaped like one is refused by the schema: for the caller that is the same.
    if (answer.status === 400) return undefined;
    assertOk(answer);
    if (!Value.Check(Verified, answer.body)) throw badResponse("a verification that does not fit the contract");
    if (!answer.body.valid) return undefined;
    if (answer.body.claims === undefined) throw badResponse("a valid token without claims");
    return answer.body.claims;
  }

  /**
   * The caller's token made into one that the model service takes for embeddings, and for nothing else (RFC 8693).
   * @throws DomainError FORBIDDEN when the caller lacks `model.embed`, UNAUTHENTICATED when his token has ended, IDENTITY_UNAVAILABLE
   */
  async exchange(token: string): Promise<string> {
    const [accessToken] = tokenTypes;
    const answer = await this.#post(
      "/v1/tokens/exchange",
      {
        grant_type: tokenExchangeGrant,
        subject_token: token,
        subject_token_type: accessToken,
        audience: slmAudience,
        scope: embedding,
      },
      { authorization: `Bearer ${this.#credential()}` },
    );
    if (answer.status === 400)
      throw new DomainError("UNAUTHENTICATED", "The token ended while its request was under way.");
    if (answer.status === 403) throw new DomainError("FORBIDDEN", "The token lacks model.embed, which memory needs.");
    assertOk(answer);
    if (!Value.Check(ExchangedToken, answer.body)) throw badResponse("an exchange that does not fit the contract");
    return answer.body.access_token;
  }

  async checkHealth(signal: AbortSignal): Promise<void> {
    const { status } = await this.#upstream.getJson(`${this.#prefix}/health`, { signal });
    if (status !== 200) throw new Error(`/health answered ${String(status)}`);
  }

  close(): Promise<void> {
    return this.#upstream.close();
  }

  #credential(): string {
    try {
      return readSecretFile(this.#credentialFile).toString("utf8").trim();
    } catch (error) {
      throw unavailable(error);
    }
  }

  async #post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<UpstreamAnswer> {
    try {
      return await this.#upstream.postJson(this.#prefix + path, body, { headers });
    } catch (error) {
      if (error instanceof UpstreamError && error.fault === "bad_response") throw badResponse(error.message);
      throw unavailable(error);
    }
  }
}

function assertOk({ status }: UpstreamAnswer): void {
  if (status >= 500 || status === 429) throw unavailable(new Error(`status ${String(status)}`));
  if (status !== 200) throw badResponse(`status ${String(status)}`);
}

function unavailable(cause: unknown): DomainError {
  return new DomainError("IDENTITY_UNAVAILABLE", "The identity service gave no answer in time; try again.", { cause });
}

function badResponse(what: string): DomainError {
  return new DomainError("IDENTITY_BAD_RESPONSE", "The identity service gave an answer that cannot be trusted.", {
    cause: new Error(`identity-service gave ${what}`),
  });
}
