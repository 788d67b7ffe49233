import type { Server } from "node:http";

/** Listens on a free port of loopback and says where, as our services do; ends with SIGTERM. */
export function announce(server: Server, close: () => Promise<void> = async () => undefined): void {
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new TypeError("no port");
    process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${String(address.port)}` })}\n`);
  });
  process.once("SIGTERM", () => {
    server.close();
    server.closeAllConnections();
    void close().then(() => process.exit(0));
  });
}
