import { DomainError } from "@soma/kit/domain-error";
import type { Logger } from "@soma/kit/logger";
import { decodeJwt } from "jose";
import type { IdentityClient, MintedToken } from "../adapters/identity-client.ts";

/** How often it is looked whether to ask; a question that failed is asked again after this. */
const tickMs = 3_000;
/** For so long the identity service's word counts: with a tick and the client's deadline 12 s, less than half of 30. */
const freshMs = 8_000;
/** So long before its end a token is followed by another: what has run out cannot be told from what was revoked. */
const renewAheadMs = 60_000;

interface TokenWatchOptions {
  readonly identity: IdentityClient;
  readonly log: Logger;
  readonly session_id: string;
  readonly token: string;
  readonly now: () => Date;
  /** Another token for the same step, asked for as the first was; `count` from 1. */
  readonly renew: (audience: string, count: number, signal: AbortSignal) => Promise<MintedToken>;
}

/**
 * Knows whether the right to an effect still stands while the effect runs. An identity service that does not answer
 * stops nothing that has begun: it is asked again, and its last word only gets older.
 */
export class TokenWatch {
  readonly #options: TokenWatchOptions;
  readonly #revoked = new AbortController();
  readonly #over = new AbortController();
  #token: string;
  #expiresAtMs: number;
  #audience: string;
  #validAtMs: number;
  #renewals = 0;
  #asking = false;
  #silent = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TokenWatchOptions) {
    this.#options = options;
    this.#token = options.token;
    const { iat = 0, exp = 0, aud } = decodeJwt(options.token);
    this.#validAtMs = iat * 1_000;
    this.#expiresAtMs = exp * 1_000;
    this.#audience = typeof aud === "string" ? aud : "";
  }

  /** Fires when the token is not valid any more; its reason is what the effect fails with. */
  get signal(): AbortSignal {
    return this.#revoked.signal;
  }

  /** The newest token: the one to end with the step, besides the first. */
  get token(): string {
    return this.#token;
  }

  /**
   * Resolves when the token was issued or found valid a moment ago, and asks otherwise.
   * @throws DomainError MODEL_TOKEN_REFUSED, IDENTITY_UNAVAILABLE or IDENTITY_BAD_RESPONSE.
   */
  async assertFresh(): Promise<void> {
    if (this.#isFresh()) return;
    await this.#ask();
    this.signal.throwIfAborted();
  }

  /** From now on, until {@link stop}, the identity service is asked every nine seconds or so. */
  start(): void {
    this.#timer = setInterval(() => void this.#tick(), tickMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#over.abort();
  }

  #isFresh(): boolean {
    // A clock that differs from the identity service's makes a token look old or from the future: then it is asked.
    const ageMs = this.#options.now().getTime() - this.#validAtMs;
    return ageMs >= 0 && ageMs < freshMs;
  }

  async #tick(): Promise<void> {
    if (this.#asking || this.signal.aborted || this.#isFresh()) return;
    const { log, session_id } = this.#options;
    this.#asking = true;
    try {
      await this.#ask();
      this.#silent = false;
    } catch (error) {
      if (this.#over.signal.aborted) return;
      if (!this.#silent) log.warn({ session_id, err: error }, "whether a running step's token is valid is not known");
      this.#silent = true;
    } finally {
      this.#asking = false;
    }
  }

  async #ask(): Promise<void> {
    const askedAtMs = this.#options.now().getTime();
    const valid =
      askedAtMs < this.#expiresAtMs - renewAheadMs
        ? (await this.#options.identity.verify(this.#token)) !== undefined
        : await this.#renew();
    if (valid) this.#validAtMs = askedAtMs;
    else
      this.#revoked.abort(
        new DomainError("MODEL_TOKEN_REFUSED", "The step's token is not valid any more; the call was ended."),
      );
  }

  async #renew(): Promise<boolean> {
    try {
      const { token, claims } = await this.#options.renew(this.#audience, this.#renewals + 1, this.#over.signal);
      this.#renewals += 1;
      this.#token = token;
      this.#expiresAtMs = claims.exp * 1_000;
      return true;
    } catch (error) {
      if (error instanceof DomainError && (error.code === "ACCESS_REVOKED" || error.code === "IDENTITY_DENIED"))
        return false;
      throw error;
    }
  }
}
