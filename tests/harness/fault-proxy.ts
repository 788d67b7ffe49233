import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import type { Owner } from "./service-process.ts";

/** What the proxy does with the next requests. */
export type Fault =
  | { readonly kind: "pass" }
  /** Takes the request and never answers. */
  | { readonly kind: "hang" }
  /** Ends the connection without an answer. */
  | { readonly kind: "cut" }
  /** Answers after a time, truthfully. */
  | { readonly kind: "slow"; readonly ms: number }
  /** Passes a stream on up to its end mark, waits, and ends the connection: the upstream is done, the caller cannot know. */
  | { readonly kind: "hold-end"; readonly ms: number }
  /** Answers in the upstream's place. */
  | { readonly kind: "lie"; readonly status: number; readonly headers?: Record<string, string>; readonly body: string }
  /** Changes the upstream's true answer. */
  | { readonly kind: "edit"; edit(body: Record<string, unknown>): Record<string, unknown> };

/** A proxy in front of a real upstream, for failures only: it proves nothing of what works. */
export interface FaultProxy {
  readonly url: string;
  /** What happens to requests on these paths from now on; `/health` passes unless the fault is to be total. */
  fault: Fault;
  /** Whether health probes suffer the fault, too. */
  total: boolean;
  /** Paths that were asked for, health probes left out. */
  readonly seen: string[];
  /** What they carried as bodies, with each path. */
  readonly bodies: { readonly path: string; readonly body: string }[];
  /** What they carried as `authorization`. */
  readonly authorizations: Set<string>;
}

/** Sent as one piece by our model service, so that no two packets share it. */
const endMark = "data: [DONE]";

const methods = ["GET", "POST", "PUT", "DELETE"] as const;

export async function startFaultProxy(owner: Owner, upstream: string): Promise<FaultProxy> {
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  const { port }: AddressInfo = address;
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${String(port)}`,
    fault: { kind: "pass" },
    total: false,
    seen: [],
    bodies: [],
    authorizations: new Set(),
  };
  owner.after(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const path = incoming.url ?? "/";
    const probe = path.startsWith("/health");
    if (!probe) proxy.seen.push(path);
    if (incoming.headers.authorization !== undefined) proxy.authorizations.add(incoming.headers.authorization);
    const fault: Fault = probe && !proxy.total ? { kind: "pass" } : proxy.fault;
    if (fault.kind === "hang") return;
    if (fault.kind === "cut") return void outgoing.destroy();
    if (fault.kind === "lie")
      return void outgoing
        .writeHead(fault.status, fault.headers ?? { "content-type": "application/json" })
        .end(fault.body);
    const gone = new AbortController();
    outgoing.on("close", () => {
      gone.abort();
    });
    if (fault.kind === "slow") await sleep(fault.ms);
    const { host: _host, connection: _connection, "transfer-encoding": _encoding, ...headers } = incoming.headers;
    const method = methods.find((known) => known === incoming.method) ?? "GET";
    const body = method === "POST" || method === "PUT" ? await readAll(incoming) : null;
    if (body !== null) proxy.bodies.push({ path, body: body.toString("utf8") });
    const answer = await request(upstream + path, {
      method,
      headers,
      body,
      signal: gone.signal,
    });
    if (fault.kind === "edit") {
      const truth: Record<string, unknown> = JSON.parse(await answer.body.text());
      return void outgoing
        .writeHead(answer.statusCode, { "content-type": "application/json" })
        .end(JSON.stringify(fault.edit(truth)));
    }
    outgoing.writeHead(answer.statusCode, onlyTexts(answer.headers));
    for await (const chunk of answer.body) {
      const bytes: Uint8Array = chunk;
      const end = fault.kind === "hold-end" ? Buffer.from(bytes).indexOf(endMark) : -1;
      outgoing.write(end === -1 ? bytes : bytes.subarray(0, end));
      if (fault.kind !== "hold-end" || end === -1) continue;
      await sleep(fault.ms, undefined, { signal: gone.signal });
      return void outgoing.destroy();
    }
    outgoing.end();
  }
  return proxy;
}

function onlyTexts(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const kept = Object.entries(headers).flatMap(([name, value]) =>
    typeof value === "string" && name !== "transfer-encoding" && name !== "connection" ? [[name, value]] : [],
  );
  return Object.fromEntries(kept);
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
