import type { FastifyRequest } from "fastify";
import type { Server } from "./server.ts";

const bodies = new WeakMap<FastifyRequest, Buffer>();
const none = Buffer.alloc(0);

interface RawBodyOptions {
  /** Takes an empty body for none, where JSON is only said to be its type: some clients say so of every request. */
  readonly emptyIsNone?: boolean;
}

/**
 * Keeps the bytes of each JSON body beside what was read from them, for those who sign or compare a body as it was on
 * the wire. Bounds and parsing stay Fastify's own. May be called again for a part of the routes.
 */
export function keepRawBody(app: Server, { emptyIsNone = false }: RawBodyOptions = {}): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeContentTypeParser("application/json");
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body: Buffer, done) => {
    bodies.set(request, body);
    const takesNone = emptyIsNone && request.routeOptions.schema?.body === undefined;
    if (body.length === 0 && takesNone) done(null);
    else void parse(request, body.toString("utf8"), done);
  });
}

/** The body as it came, empty when there was none. The server must have been given to {@link keepRawBody}. */
export function rawBodyOf(request: FastifyRequest): Buffer {
  return bodies.get(request) ?? none;
}
