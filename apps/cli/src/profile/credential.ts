/** What a token says of itself. It is not checked here: whether it counts is the service's to say. */
export interface TokenNotes {
  readonly kind: "api_key" | "token";
  readonly user?: string;
  readonly tenant?: string;
  readonly role?: string;
  readonly scopes?: readonly string[];
  readonly expiresAt?: Date;
}

/** Reads the notes that a credential carries; undefined for a text that cannot be one. */
export function readToken(token: string): TokenNotes | undefined {
  const [, keyId] = /^soma_([a-z0-9]{16})_[A-Za-z0-9_-]{43}$/.exec(token) ?? [];
  if (keyId !== undefined) return { kind: "api_key", user: `key:${keyId}` };
  const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(token) ?? [];
  if (payload === undefined || token.length > 8192) return undefined;
  try {
    const claims: Record<string, unknown> | null = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    if (typeof claims !== "object" || claims === null) return undefined;
    const { sub, tenant_id: tenant, role, scope, exp } = claims;
    return {
      kind: "token",
      ...(typeof sub === "string" && { user: sub }),
      ...(typeof tenant === "string" && { tenant }),
      ...(typeof role === "string" && { role }),
      ...(typeof scope === "string" && { scopes: scope.split(" ") }),
      ...(typeof exp === "number" && { expiresAt: new Date(exp * 1000) }),
    };
  } catch {
    return undefined;
  }
}
