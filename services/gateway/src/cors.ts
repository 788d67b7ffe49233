import type { Server } from "@soma/kit/server";

/** What a page may send, and may read of an answer. */
const allowedHeaders = "authorization, content-type, idempotency-key, last-event-id, prefer, x-request-id, traceparent";
const exposedHeaders = "x-request-id, retry-after";

/**
 * Lets browsers' pages of these origins in (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol); without any, none
 * can read an answer, and none can send JSON. No cookie counts here, so credentials are never allowed.
 */
export function allowOrigins(app: Server, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const allowed = new Set(origins);
  app.addHook("onRequest", (request, reply, done) => {
    reply.header("vary", "origin");
    const { origin } = request.headers;
    if (origin !== undefined && allowed.has(origin))
      reply.headers({ "access-control-allow-origin": origin, "access-control-expose-headers": exposedHeaders });
    done();
  });
  app.options("/v1/*", { schema: { hide: true } }, (request, reply) => {
    const { origin } = request.headers;
    if (origin === undefined || !allowed.has(origin)) return reply.callNotFound();
    return reply
      .code(204)
      .headers({
        "access-control-allow-methods": "GET, POST, PATCH, DELETE",
        "access-control-allow-headers": allowedHeaders,
        "access-control-max-age": "600",
      })
      .send();
  });
}
