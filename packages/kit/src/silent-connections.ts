import type { Server } from "node:http";
import type { Socket } from "node:net";

/**
 * Watches for connections on which no request has come. Node counts them as busy, so that one of them (a browser opens
 * such ahead of need) would hold up a server's `close` until it times out. Returns the function that ends them.
 */
export function watchSilentConnections(server: Server): () => void {
  const silent = new Set<Socket>();
  let closing = false;
  server.on("connection", (socket) => {
    if (closing) socket.destroy();
    else silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  server.on("request", ({ socket }) => silent.delete(socket));
  return () => {
    closing = true;
    for (const socket of silent) socket.destroy();
  };
}
