import type { FastifyRequest } from "fastify";
import type { Server } from "./server.ts";

const bodies = new WeakMap<FastifyRequest, Buffer>();
const none = Buffer.alloc(0);

/**
 * Keeps the bytes of each JSON body beside what was read from them, for those who sign or compare a body as it was on
 * the wire. Bounds and parsing stay Fastify's own.
 */
export function keepRawBody(app: Server): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body: Buffer, done) => {
    bodies.set(request, body);
    void parse(request, body.toString("utf8"), done);
  });
}

/** The body as it came, empty when there was none. The server must have been given to {@link keepRawBody}. */
export function rawBodyOf(request: FastifyRequest): Buffer {
  return bodies.get(request) ?? none;
}
