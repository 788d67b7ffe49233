import { Counter, createMetrics, Gauge, type ServiceMetrics } from "@soma/kit/metrics";

export interface IdentityMetrics extends ServiceMetrics {
  readonly tokensIssued: Counter<"kind">;
  readonly tokensRefused: Counter<"code">;
  readonly verifications: Counter<"result">;
  readonly revocations: Counter<"by">;
  readonly apiKeys: Counter<"change">;
  readonly logins: Counter<"result">;
  readonly keyFetches: Counter<"result">;
  readonly registryRefused: Gauge;
}

/** The service's metrics. No label names a tenant, a user or a service. */
export function createIdentityMetrics(): IdentityMetrics {
  const metrics = createMetrics("identity-service");
  const registers = [metrics.registry];
  return {
    ...metrics,
    tokensIssued: new Counter({
      name: "soma_identity_tokens_issued_total",
      help: "Tokens issued: for a user, for a step of a session, exchanged for another, or given again for the same key",
      labelNames: ["kind"],
      registers,
    }),
    tokensRefused: new Counter({
      name: "soma_identity_tokens_refused_total",
      help: "Requests for a token that were refused, by error code",
      labelNames: ["code"],
      registers,
    }),
    verifications: new Counter({
      name: "soma_identity_verifications_total",
      help: "Tokens verified: valid, or the class of what was wrong",
      labelNames: ["result"],
      registers,
    }),
    revocations: new Counter({
      name: "soma_identity_revocations_total",
      help: "Tokens revoked, by possession or by id",
      labelNames: ["by"],
      registers,
    }),
    apiKeys: new Counter({
      name: "soma_identity_api_keys_total",
      help: "API keys that were made or revoked",
      labelNames: ["change"],
      registers,
    }),
    logins: new Counter({
      name: "soma_identity_logins_total",
      help: "Logins with a foreign issuer's token: accepted, or the class of what was wrong",
      labelNames: ["result"],
      registers,
    }),
    keyFetches: new Counter({
      name: "soma_identity_issuer_key_fetches_total",
      help: "Times that a foreign issuer was asked for its keys: fetched or failed",
      labelNames: ["result"],
      registers,
    }),
    registryRefused: new Gauge({
      name: "soma_identity_registry_refused",
      help: "1 while the registry file is refused and the version before is in force",
      registers,
    }),
  };
}
