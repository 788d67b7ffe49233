import type { TokenClaims } from "@soma/contracts/identity";
import { DomainError } from "@soma/kit/domain-error";
import type { IssuedStore, RememberedIssue } from "../state/issued-store.ts";
import type { RevocationStore } from "../state/revocation-store.ts";

export interface OnceDeps {
  readonly issued: IssuedStore;
  readonly revocations: RevocationStore;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** A request that may be sent again. */
export interface RepeatableRequest {
  readonly service: string;
  /** `Idempotency-Key`; without one each request is a new one. */
  readonly key: string | undefined;
  /** Over all that was asked for. */
  readonly digest: string;
  /** What is granted now; a remembered token that says something else is not given again. */
  readonly granted: Pick<TokenClaims, "scope" | "role">;
}

/**
 * The claims that a request gets: those that it got before, while they would be accepted and would be granted again,
 * else those that `make` makes. `make` is synchronous, so that two requests with one key cannot both be new.
 *
 * @throws DomainError IDEMPOTENCY_KEY_REUSED when the key stands for another request.
 */
export function claimsOnce(
  deps: OnceDeps,
  request: RepeatableRequest,
  make: () => TokenClaims,
): { readonly claims: TokenClaims; readonly repeated: boolean } {
  const { service, key, digest } = request;
  if (key === undefined) return { claims: make(), repeated: false };
  const now = Math.floor(deps.clock() / 1_000);
  const found = deps.issued.find(service, key);
  const before = found !== undefined && found.claims.exp > now ? found : undefined;
  if (before !== undefined && isRepeatable(deps, request, before)) return { claims: before.claims, repeated: true };
  const issue = { requestDigest: digest, claims: make() };
  const kept = deps.issued.remember(service, key, issue, found);
  if (kept.requestDigest !== digest) throw keyReused();
  return { claims: kept.claims, repeated: kept !== issue };
}

function isRepeatable(
  deps: OnceDeps,
  { digest, granted }: RepeatableRequest,
  { requestDigest, claims }: RememberedIssue,
): boolean {
  if (requestDigest !== digest) throw keyReused();
  return (
    claims.scope === granted.scope && claims.role === granted.role && !deps.revocations.isRevokedWithOrigins(claims)
  );
}

function keyReused(): DomainError {
  return new DomainError("IDEMPOTENCY_KEY_REUSED", "The Idempotency-Key was used for another request; take a new one.");
}
