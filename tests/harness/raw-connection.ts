import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A connection whose bytes the test writes itself: for what no client library would send. */
export interface RawConnection {
  readonly socket: Socket;
  /** All that has come so far. */
  text(): string;
  /** Resolves when the text has something, rejects when the connection ends before. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves when there is no connection any more. */
  readonly closed: Promise<unknown>;
  /** Resolves with all that came, when the other side has ended it. */
  ended(): Promise<string>;
}

export async function openRaw(url: string, bytes = ""): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (piece: string) => (text += piece));
  // A reset is an end like any other; the tests look at what came before.
  socket.on("error", () => undefined);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await once(socket, "connect");
  if (bytes !== "") socket.write(bytes);
  return {
    socket,
    closed,
    text: () => text,
    async until(pattern) {
      for (;;) {
        const match = pattern.exec(text);
        if (match) return match;
        if (socket.destroyed) throw new Error(`ended before ${String(pattern)}: ${text.slice(0, 500)}`);
        await Promise.race([new Promise((resolve) => socket.once("data", resolve)), closed]);
      }
    },
    async ended() {
      await closed;
      return text;
    },
  };
}

/** The head of a request. */
export function head(method: string, path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\nhost: gateway\r\n${lines.join("")}\r\n`;
}
