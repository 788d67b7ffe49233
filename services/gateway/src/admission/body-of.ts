import type { FastifyRequest } from "fastify";

/** What the head says of the body; undefined when there is none, `bytes` undefined when it comes in chunks. */
export function bodyOf(request: FastifyRequest): { readonly bytes: number | undefined } | undefined {
  // Node's parser has refused a request that has both, or two lengths (RFC 9112, 6.3).
  if (request.headers["transfer-encoding"] !== undefined) return { bytes: undefined };
  const bytes = Number(request.headers["content-length"] ?? 0);
  return bytes === 0 ? undefined : { bytes };
}
