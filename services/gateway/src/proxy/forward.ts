import { pipeline } from "node:stream/promises";
import { accessRefusals } from "@soma/contracts/access";
import { hopHeader, refusalHeader } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import { rawBodyOf } from "@soma/kit/raw-body";
import type { FastifyReply } from "fastify";
import type { Pool, Dispatcher } from "undici";
import { asksForStream, type Visit } from "../admission/visit.ts";
import type { GatewayParts } from "../gateway.ts";
import { headersToClient, headersToUpstream } from "./forwarded-headers.ts";
import { traceparentOf } from "./trace-context.ts";

/** Longest wait for the head of an answer, unless the route says otherwise. */
const answerMs = 10_000;
/** Longest silence within an answer: above the heartbeat of event streams, 10 s. */
const silenceMs = 30_000;

/**
 * Passes an admitted request on and its answer back as it comes: nothing is held back, and who reads slowly slows down
 * who writes. A client that goes ends the request at the upstream; an upstream that goes ends the client's connection,
 * or is a 503 when nothing has been sent yet.
 */
export async function forward(visit: Visit, parts: GatewayParts): Promise<void> {
  const { reply, route } = visit;
  const pool: Pool = parts.pools[route.to];
  const withinMs = route.answersWithinMs ?? answerMs;
  // The server's own clock for a silent connection is for requests, and would end the wait before its time.
  reply.raw.setTimeout(withinMs + 5_000);
  const gone = new AbortController();
  reply.raw.once("close", () => {
    gone.abort();
  });
  let answer: Dispatcher.ResponseData;
  try {
    answer = await pool.request({
      ...(await toUpstream(visit, parts)),
      headersTimeout: withinMs,
      bodyTimeout: silenceMs,
      signal: gone.signal,
    });
  } catch (error) {
    // Nobody is there to be answered.
    if (gone.signal.aborted) return void reply.hijack();
    parts.metrics.upstreamFailures.inc({ dependency: route.to, failure: "unavailable" });
    throw unavailable(route.to, error);
  }
  countRefusal(answer.headers, parts);
  reply.hijack();
  for (const [name, value] of Object.entries(headersToClient(answer.headers))) reply.raw.setHeader(name, value);
  // What this server has set already – request id, CORS – wins.
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value);
  }
  // Kept alive, its connection would hold the end of the service up.
  if (parts.openStreams.closing) reply.raw.setHeader("connection", "close");
  reply.raw.writeHead(answer.statusCode);
  if (asksForStream(visit)) openStream(reply, parts);
  try {
    await pipeline(answer.body, reply.raw);
  } catch (error) {
    // The pipeline has cut the connection: an answer that ended early must not look whole.
    if (!isOfTheClient(error)) parts.metrics.upstreamFailures.inc({ dependency: route.to, failure: "cut" });
  }
}

/** What the identity service says to us alone of a login that it refused. */
function countRefusal(headers: Dispatcher.ResponseData["headers"], { reporter }: GatewayParts): void {
  const said = headers[refusalHeader];
  if (said !== undefined) reporter.refused(accessRefusals.find((known) => known === said) ?? "claims", undefined);
}

/** Whatever was counted for a request listens for its end: eleven for a stream, one more than Node warns of. */
const endListeners = 16;

function openStream({ raw }: FastifyReply, { openStreams }: GatewayParts): void {
  raw.setMaxListeners(endListeners);
  openStreams.add(raw);
  // The longest time that a reader may take nothing while there is something to take.
  raw.setTimeout(silenceMs);
  raw.flushHeaders();
}

/** The client closed the connection, or did not read; anything else came from the upstream. */
function isOfTheClient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "AbortError" || Reflect.get(error, "code") === "ERR_STREAM_PREMATURE_CLOSE";
}

async function toUpstream(visit: Visit, parts: GatewayParts) {
  const { request, route } = visit;
  const path = request.raw.url ?? "";
  const body = rawBodyOf(request);
  const { traceparent, kept } = traceparentOf(request.headers["traceparent"]);
  const headers = headersToUpstream(request.headers);
  if (!kept) delete headers["tracestate"];
  if (body.length === 0) delete headers["content-type"];
  headers["traceparent"] = traceparent;
  headers["x-request-id"] = request.id;
  if (route.to === "orchestrator") {
    const { authorization } = headers;
    headers[hopHeader] = await parts.sign({ method: route.method, path, body, authorization });
  } else {
    // A token that was sent all the same is nobody's business there. With ours, the reason of a refusal comes back.
    headers["authorization"] = parts.identity.authorization();
  }
  return { method: route.method, path, headers, body: body.length === 0 ? null : body };
}

function unavailable(upstream: Visit["route"]["to"], cause: unknown): DomainError {
  return upstream === "orchestrator"
    ? new DomainError("ORCHESTRATOR_UNAVAILABLE", "The orchestrator gave no answer; try again.", { cause })
    : new DomainError("IDENTITY_UNAVAILABLE", "The identity service gave no answer; try again.", { cause });
}
