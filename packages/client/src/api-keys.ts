import { randomId } from "./random-id.ts";
import type { ApiKeyView, CreateApiKeyRequest, CreatedApiKey, IssuedToken, LoginRequest } from "./shapes.ts";
import type { CallOptions, ChangeOptions, Transport } from "./transport.ts";

/** A key that was made; without a secret when the same request had been answered too long before. */
export type MadeApiKey = ApiKeyView & Partial<Pick<CreatedApiKey, "secret">>;

/**
 * Makes an API key; this answer is the only one that ever holds its secret. Repeated while it fails in passing: the
 * route keeps the idempotency key, and gives the same key a new secret in place of the one that was lost.
 * @throws SomaError.
 */
export function createApiKey(
  transport: Transport,
  body: CreateApiKeyRequest,
  { idempotencyKey = randomId(), ...options }: ChangeOptions = {},
): Promise<MadeApiKey> {
  return transport.call("/v1/api-keys", "post", { body, idempotencyKey, ...options });
}

interface OfTenant extends CallOptions {
  /** Another tenant than the caller's own; takes `platform.manage`. */
  readonly tenant?: string;
}

/** The tenant's keys, revoked ones included, without secrets. @throws SomaError. */
export async function listApiKeys(
  transport: Transport,
  { tenant = transport.tenant, ...options }: OfTenant = {},
): Promise<readonly ApiKeyView[]> {
  const query = tenant === undefined ? {} : { tenant };
  return (await transport.call("/v1/api-keys", "get", { parameters: { query }, ...options })).keys;
}

/** Ends a key, and with it the sessions that were started with it. @throws SomaError. */
export async function revokeApiKey(
  transport: Transport,
  keyId: string,
  { tenant = transport.tenant, ...options }: OfTenant = {},
): Promise<void> {
  const query = tenant === undefined ? {} : { tenant };
  await transport.call("/v1/api-keys/{id}", "delete", {
    parameters: { path: { id: keyId }, query },
    ...options,
  });
}

/**
 * Exchanges an access token of an issuer that the tenant trusts for one of this system's, of an hour at most.
 * @throws SomaError LOGIN_REFUSED, which does not say why.
 */
export function login(transport: Transport, body: LoginRequest, options: CallOptions = {}): Promise<IssuedToken> {
  return transport.call("/v1/login", "post", { body, ...options });
}
