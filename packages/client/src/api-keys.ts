import type { ApiKeyView, CreateApiKeyRequest, CreatedApiKey, IssuedToken, LoginRequest } from "./shapes.ts";
import type { CallOptions, Transport } from "./transport.ts";

/**
 * Makes an API key; the answer is the only one that ever holds its secret. Not repeated: a lost answer would leave a
 * key whose secret nobody knows – list the keys then, and revoke it. @throws SomaError.
 */
export function createApiKey(
  transport: Transport,
  body: CreateApiKeyRequest,
  options: CallOptions = {},
): Promise<CreatedApiKey> {
  return transport.call("/v1/api-keys", "post", { body, ...options });
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
  await transport.call("/v1/api-keys/{key_id}", "delete", {
    parameters: { path: { key_id: keyId }, query },
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
