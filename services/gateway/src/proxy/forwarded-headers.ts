import type { IncomingHttpHeaders } from "node:http";
import { refusalHeader } from "@soma/contracts/wire-names";

/** The only headers of a request that go on; what a client says of its address, its host or its hop does not. */
const requestHeaders = [
  "authorization",
  "content-type",
  "accept",
  "idempotency-key",
  "last-event-id",
  "prefer",
  "tracestate",
] as const;

/** Headers of one connection and not of the message (RFC 9110, 7.6.1), those that Node writes itself, and what is for us. */
const ofTheConnection: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "date",
  "server",
  refusalHeader,
]);

type Values = Readonly<Record<string, string | string[] | undefined>>;

/**
 * What of a request's headers goes on, but for what its `Connection` header names. That a client cannot have its token
 * taken off on the way: by that it was let in, and who comes without one may be somebody else behind the door.
 */
export function headersToUpstream(headers: IncomingHttpHeaders): Record<string, string> {
  const named = namedByConnection(headers.connection);
  const kept: Record<string, string> = {};
  for (const name of requestHeaders) {
    const value = headers[name];
    if (typeof value === "string" && (name === "authorization" || !named.has(name))) kept[name] = value;
  }
  return kept;
}

/** What of an answer's headers goes back. */
export function headersToClient(headers: Values): Record<string, string | string[]> {
  const { connection } = headers;
  const named = namedByConnection(Array.isArray(connection) ? connection.join(",") : connection);
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !ofTheConnection.has(name) && !named.has(name)) kept[name] = value;
  }
  return kept;
}

function namedByConnection(value: string | undefined): Set<string> {
  return new Set(
    (value ?? "")
      .toLowerCase()
      .split(",")
      .map((name) => name.trim()),
  );
}
