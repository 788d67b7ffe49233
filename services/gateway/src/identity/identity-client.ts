import { tokenRefusals, type TokenRefusal } from "@soma/contracts/access";
import { TokenClaims } from "@soma/contracts/identity";
import { DomainError } from "@soma/kit/domain-error";
import { readSecretFile } from "@soma/kit/secret-file";
import { Upstream, UpstreamError, type UpstreamAnswer } from "@soma/kit/upstream";
import { Type } from "typebox";
import { Value } from "typebox/value";

const deadlineMs = 1_000;

/** Open to what a later identity service says beside it. */
const Verified = Type.Object({
  valid: Type.Boolean(),
  claims: Type.Optional(TokenClaims),
  reason: Type.Optional(Type.String()),
});

export type Verification = { readonly claims: TokenClaims } | { readonly refused: TokenRefusal };

/** Asks the identity service about tokens, as the service `gateway`. */
export class IdentityClient {
  readonly #upstream: Upstream;
  readonly #credentialFile: string;

  /** The credential is read at each question, so that a rotated one needs no restart. */
  constructor(origin: string, credentialFile: string) {
    this.#upstream = new Upstream({ name: "identity-service", origin, deadlineMs });
    this.#credentialFile = credentialFile;
  }

  /** @throws DomainError IDENTITY_UNAVAILABLE or IDENTITY_BAD_RESPONSE. */
  async verify(token: string): Promise<Verification> {
    const answer = await this.#post("/v1/tokens/verify", { token });
    // A token that is not even shaped like one is refused by the schema.
    if (answer.status === 400) return { refused: "malformed" };
    if (answer.status >= 500 || answer.status === 429) throw unavailable(new Error(`status ${String(answer.status)}`));
    if (answer.status !== 200) throw badResponse(`status ${String(answer.status)}`);
    if (!Value.Check(Verified, answer.body)) throw badResponse("a verification that does not fit the contract");
    const { valid, claims, reason } = answer.body;
    if (!valid) return { refused: tokenRefusals.find((known) => known === reason) ?? "claims" };
    if (claims === undefined) throw badResponse("a valid token without claims");
    return { claims };
  }

  /** How the gateway shows the identity service who it is. @throws DomainError IDENTITY_UNAVAILABLE */
  authorization(): string {
    try {
      return `Bearer ${readSecretFile(this.#credentialFile).toString("utf8").trim()}`;
    } catch (error) {
      throw unavailable(error);
    }
  }

  async checkHealth(signal: AbortSignal): Promise<void> {
    const { status } = await this.#upstream.getJson("/health", { signal });
    if (status !== 200) throw new Error(`/health answered ${String(status)}`);
  }

  close(): Promise<void> {
    return this.#upstream.close();
  }

  async #post(path: string, body: unknown): Promise<UpstreamAnswer> {
    const authorization = this.authorization();
    try {
      return await this.#upstream.postJson(path, body, { headers: { authorization } });
    } catch (error) {
      if (error instanceof UpstreamError && error.fault === "bad_response") throw badResponse(error.message);
      throw unavailable(error);
    }
  }
}

function unavailable(cause: unknown): DomainError {
  return new DomainError("IDENTITY_UNAVAILABLE", "The identity service gave no answer in time; try again.", { cause });
}

function badResponse(what: string): DomainError {
  return new DomainError("IDENTITY_BAD_RESPONSE", "The identity service gave an answer that cannot be trusted.", {
    cause: new Error(`identity-service gave ${what}`),
  });
}
