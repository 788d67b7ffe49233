import { createHash } from "node:crypto";
import type { TokenRefusal } from "@soma/contracts/access";
import { orchestratorAudience } from "@soma/contracts/wire-names";
import type { Caller } from "../admission/visit.ts";
import type { GatewayMetrics } from "../gateway-metrics.ts";
import type { Verification } from "./identity-client.ts";

const maxTokens = 10_000;
/** A revocation is seen here after this time at the latest. */
const keptMs = 10_000;

type Judgement = { readonly caller: Caller } | { readonly refused: TokenRefusal };

interface Good {
  readonly caller: Caller;
  readonly verifiedAt: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

interface JudgeDeps {
  readonly verify: (token: string) => Promise<Verification>;
  readonly metrics: Pick<GatewayMetrics, "tokens">;
  /** Monotonic, in milliseconds. */
  readonly clock?: () => number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Says whose a token is. A good one is asked for once in ten seconds; a bad one each time, so that one which becomes
 * good – its time has come – is not refused for what it was. Tokens are remembered by their digests.
 */
export class TokenJudge {
  readonly #deps: Required<JudgeDeps>;
  readonly #good = new Map<string, Good>();
  readonly #asking = new Map<string, Promise<Judgement>>();

  constructor(deps: JudgeDeps) {
    this.#deps = { clock: () => performance.now(), now: Date.now, ...deps };
  }

  /** True for a token that was good when it was seen last, and has time left. */
  wasGood(token: string): boolean {
    const known = this.#good.get(digestOf(token));
    return known !== undefined && this.#deps.now() < known.expiresAt;
  }

  /** @throws DomainError when the identity service gives no answer. */
  async judge(token: string): Promise<Judgement> {
    const { clock, now, metrics } = this.#deps;
    const digest = digestOf(token);
    const known = this.#good.get(digest);
    if (known !== undefined && clock() - known.verifiedAt < keptMs && now() < known.expiresAt) {
      metrics.tokens.inc({ result: "cached" });
      return known;
    }
    // Many requests with one token ask once.
    const asking = this.#asking.get(digest) ?? this.#ask(token, digest);
    this.#asking.set(digest, asking);
    return asking;
  }

  async #ask(token: string, digest: string): Promise<Judgement> {
    const { verify, clock, metrics } = this.#deps;
    const verifiedAt = clock();
    try {
      const judgement = judge(await verify(token));
      metrics.tokens.inc({ result: "refused" in judgement ? "refused" : "verified" });
      this.#good.delete(digest);
      if ("refused" in judgement) return judgement;
      this.#good.set(digest, { ...judgement, verifiedAt });
      this.#forgetOldest();
      return judgement;
    } catch (error) {
      metrics.tokens.inc({ result: "unavailable" });
      throw error;
    } finally {
      this.#asking.delete(digest);
    }
  }

  #forgetOldest(): void {
    if (this.#good.size <= maxTokens) return;
    const [oldest] = this.#good.keys();
    if (oldest !== undefined) this.#good.delete(oldest);
  }
}

function judge(verification: Verification): { caller: Caller; expiresAt: number } | { refused: TokenRefusal } {
  if ("refused" in verification) return verification;
  const { aud, tenant_id: tenant, sub: user, scope, exp } = verification.claims;
  // A token for another service is no token here, however valid it is.
  if (aud !== orchestratorAudience) return { refused: "audience" };
  return { caller: { tenant, user, scopes: scope.split(" ") }, expiresAt: exp * 1_000 };
}

function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
