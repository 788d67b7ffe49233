import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { Owner } from "./service-process.ts";

/**
 * Says how much of an answer passes before its connection is cut: a number of bytes, or undefined while all of what has
 * come may pass. It is shown everything that the upstream sent on this connection since the last request.
 */
export type Cut = (answer: Buffer) => number | undefined;

const lookMs = 30;

/** A wire to a real server that breaks where the test wants it to; for failures only: it proves nothing of what works. */
export interface CuttingProxy {
  readonly url: string;
  cut: Cut;
  /** Connections that were made to it. */
  readonly connections: number;
}

export const neverCut: Cut = () => undefined;

/** Drops an answer when it begins to come: the server has done what it was asked, and the client cannot know. */
export const dropAnswer: Cut = () => 0;

export async function startCuttingProxy(owner: Owner, upstream: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(upstream);
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((client) => {
    connections += 1;
    const target = connect(Number(port), hostname);
    sockets.add(client).add(target);
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    let answer = Buffer.alloc(0);
    let passed = 0;
    client.on("data", (bytes: Buffer) => {
      answer = Buffer.alloc(0);
      passed = 0;
      target.write(bytes);
    });
    target.on("data", (bytes: Buffer) => {
      answer = Buffer.concat([answer, bytes]);
      const end = proxy.cut(answer);
      const passing = answer.subarray(passed, end ?? answer.length);
      passed += passing.length;
      client.write(passing);
      if (end === undefined) return;
      target.pause();
      // A client that is told of the end drops what it has not looked at yet: it gets the time to look.
      setTimeout(() => client.destroy(), lookMs);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  const proxy: CuttingProxy = {
    url: `http://127.0.0.1:${String(address.port)}`,
    cut: neverCut,
    get connections() {
      return connections;
    },
  };
  owner.after(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, "close");
  });
  return proxy;
}
