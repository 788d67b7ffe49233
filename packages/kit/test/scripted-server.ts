import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";

/** A request as it arrived. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What the server does with one request. */
export type Answer = (response: ServerResponse, request: SeenRequest) => void | Promise<void>;

/**
 * A real HTTP server that answers by a script, for an upstream's failures only: it proves nothing of what works. A
 * request after the script's end, and a script that was not played to its end, fail the test when the server goes.
 */
export interface ScriptedServer extends AsyncDisposable {
  readonly url: URL;
  readonly seen: readonly SeenRequest[];
  /** Resolves when the first request has come, whole. */
  readonly arrived: Promise<void>;
  /** Resolves when the client has ended the connection of the request that is being answered. */
  readonly clientGone: Promise<void>;
}

export async function startScriptedServer(...script: readonly Answer[]): Promise<ScriptedServer> {
  const left = [...script];
  const seen: SeenRequest[] = [];
  const problems: Error[] = [];
  const gone = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const server = createServer(async (incoming, response) => {
    response.once("close", () => {
      if (!response.writableFinished) gone.resolve();
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString("utf8");
    const request = { method: incoming.method ?? "", path: incoming.url ?? "", headers: incoming.headers, body };
    seen.push(request);
    arrived.resolve();
    const answer = left.shift();
    if (answer === undefined) {
      problems.push(new Error(`${request.method} ${request.path} came after the script's end`));
      response.destroy();
      return;
    }
    await answer(response, request);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  return {
    url: new URL(`http://127.0.0.1:${String(address.port)}`),
    seen,
    arrived: arrived.promise,
    clientGone: gone.promise,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
      if (left.length > 0) problems.push(new Error(`${String(left.length)} answers of the script were not asked for`));
      const [problem] = problems;
      if (problem !== undefined) throw problem;
    },
  };
}

/** Answers with a value as JSON. */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  };
}

/** Answers with these very bytes. */
export function bytes(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => {
    response.writeHead(status, headers).end(body);
  };
}

/** Takes the request and never answers. */
export const hang: Answer = () => undefined;

/** Sends status, headers and a first piece, and then nothing more. */
export const stall: Answer = (response) => {
  response.writeHead(200, { "content-type": "application/json" }).write('{"allo');
};

/** Ends the connection without an answer. */
export const cut: Answer = (response) => {
  response.destroy();
};
