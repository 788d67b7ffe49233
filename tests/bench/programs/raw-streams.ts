import { createServer, type ServerResponse } from "node:http";
import { announce } from "./announce.ts";

/**
 * What B9 is compared with: Node's own HTTP server that writes each text it is given to every open stream, and does
 * nothing else. `GET /streams` opens one, `POST /texts` with a JSON list of texts writes them.
 */
const streams = new Set<ServerResponse>();

const server = createServer((request, response) => {
  if (request.method === "GET") {
    response.writeHead(200, { "content-type": "text/event-stream" }).write("retry: 1000\n\n");
    streams.add(response);
    response.on("close", () => streams.delete(response));
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const texts: string[] = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    response.end("{}");
    for (const text of texts.map((one) => Buffer.from(one))) for (const stream of streams) stream.write(text);
  });
});
server.keepAliveTimeout = 60_000;
announce(server);
