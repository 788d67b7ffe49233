import type { CallOptions, Transport } from "./transport.ts";

/** What a service says of itself. */
export interface Health {
  readonly service: string;
  readonly version: string;
  /** The server's clock when it answered, RFC 9110 HTTP-date; browsers do not show it across origins. */
  readonly date: string | undefined;
}

/** Whether a service can do its work, and what it misses. */
export interface Readiness {
  readonly status: "ready" | "degraded" | "not_ready";
  readonly missing: readonly { readonly name: string; readonly address?: string }[];
}

/** Asks whether the service is alive; takes no token. Undefined when who answers is none of this system's. @throws SomaError. */
export async function readHealth(transport: Transport, options: CallOptions = {}): Promise<Health | undefined> {
  const answer = await transport.probe("/health", options);
  const { service, version }: { service?: unknown; version?: unknown } = parse(answer.text);
  if (answer.status !== 200 || typeof service !== "string" || typeof version !== "string") return undefined;
  return { service, version, date: answer.headers.get("date") ?? undefined };
}

/** Asks whether the service is ready; takes no token. Undefined when who answers is none of this system's. @throws SomaError. */
export async function readReadiness(transport: Transport, options: CallOptions = {}): Promise<Readiness | undefined> {
  const answer = await transport.probe("/ready", options);
  const { status, missing }: { status?: unknown; missing?: unknown } = parse(answer.text);
  if (!Array.isArray(missing)) return undefined;
  const names = missing.flatMap((one: { name?: unknown; address?: unknown } | null) =>
    typeof one?.name === "string"
      ? [{ name: one.name, ...(typeof one.address === "string" && { address: one.address }) }]
      : [],
  );
  if (answer.status === 503) return { status: "not_ready", missing: names };
  if (answer.status !== 200 || (status !== "ready" && status !== "degraded")) return undefined;
  return { status, missing: names };
}

function parse(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** How many keys the identity service signs with, as the gateway gives them out; none where the answer is another. @throws SomaError. */
export async function readSigningKeys(
  transport: Transport,
  options: CallOptions = {},
): Promise<{ readonly status: number; readonly keys: number }> {
  const { status, text } = await transport.probe("/.well-known/jwks.json", options);
  const { keys }: { keys?: unknown } = parse(text);
  return { status, keys: status === 200 && Array.isArray(keys) ? keys.length : 0 };
}
