import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";

/** Answers that one connection may have outstanding. Clients of today ask one after the other. */
const maxOutstanding = 8;

/**
 * Ends connections that ask on and on without waiting for answers (RFC 9112, section 9.3.2, allows it). Node answers
 * all that it has read at once and keeps what the client does not take: a client that never reads would cost as much
 * memory as its questions have answers.
 */
export function boundPipelining(app: Pick<FastifyInstance, "addHook">): void {
  const outstanding = new WeakMap<Socket, number>();
  app.addHook("onRequest", (request, reply, done) => {
    const { socket } = request.raw;
    const count = (outstanding.get(socket) ?? 0) + 1;
    outstanding.set(socket, count);
    reply.raw.once("close", () => outstanding.set(socket, (outstanding.get(socket) ?? 1) - 1));
    if (count <= maxOutstanding) return done();
    reply.hijack();
    socket.destroy();
  });
}
