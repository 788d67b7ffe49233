import type { AccessRefusal } from "@soma/contracts/access";
import type { ErrorCode } from "@soma/contracts/error-codes";
import { Problem } from "@soma/contracts/problem";
import { startLimits } from "@soma/contracts/session";
import { DomainError } from "@soma/kit/domain-error";
import { toDomainError } from "@soma/kit/problem-response";
import { keepRawBody } from "@soma/kit/raw-body";
import { buildServer, type Server } from "@soma/kit/server";
import type { FastifyRequest } from "fastify";
import manifest from "../package.json" with { type: "json" };
import { AccessRefused } from "./admission/access-refused.ts";
import { admit } from "./admission/admission.ts";
import { checkStrangers } from "./admission/check-strangers.ts";
import type { Visit } from "./admission/visit.ts";
import { bodyOf } from "./admission/body-of.ts";
import { allowOrigins } from "./cors.ts";
import type { GatewayParts } from "./gateway.ts";
import { OpenaiError } from "@soma/contracts/openai";
import { refuseInOpenaiShape } from "./openai-refusals.ts";
import { forward } from "./proxy/forward.ts";
import { routeTable } from "./route-table.ts";

/** The only public door; nothing listens yet. Its routes are those of the route table. */
export async function buildApp(parts: GatewayParts): Promise<Server> {
  const { config, log, metrics, watch, document, openStreams } = parts;
  const app = await buildServer({
    service: "gateway",
    version: manifest.version,
    description: "The one public door: admits requests, or refuses them, and passes them on.",
    log,
    metrics,
    // It serves without any of them: what needs one is answered with its code.
    missing: () => watch.missing().map(({ name, address }) => ({ name, address, required: false })),
    bearer: true,
    bodyLimitBytes: startLimits.bodyBytes,
    maxDepth: startLimits.depth + 1,
    guard: (server) => {
      keepRawBody(server, { emptyIsNone: true });
      allowOrigins(server, config.allowedOrigins);
      server.addHook("onRequest", async (request) => {
        const { url = "" } = request.routeOptions;
        if (url !== "/openapi.json" && !url.startsWith("/docs")) return;
        // Nobody is asked who he is here, so he takes his turn among those of his address.
        await checkStrangers({ request }, parts);
        if (url === "/openapi.json" || url === "/docs/json") await document.refresh();
      });
    },
    document: () => document.merge(app.swagger()),
  });
  app.server.maxConnections = config.maxConnections;
  app.server.on("drop", () => {
    metrics.connectionsDropped.inc();
  });
  app.addHook("preClose", (done) => {
    openStreams.cut();
    done();
  });
  addRoutes(app, parts);
  return app;
}

function addRoutes(app: Server, parts: GatewayParts): void {
  const visits = new WeakMap<FastifyRequest, Visit>();
  const visitOf = (request: FastifyRequest): Visit => {
    const visit = visits.get(request);
    if (visit === undefined) throw new TypeError("a request that came by another door");
    return visit;
  };
  for (const route of routeTable) {
    const refusal = route.errors === "openai" ? OpenaiError : Problem;
    app.route({
      method: route.method,
      url: route.path,
      // A method without a row in the table is none.
      exposeHeadRoute: false,
      attachValidation: true,
      schema: {
        summary: route.summary,
        ...(route.needs === "open" && { security: [] }),
        ...(route.body && { body: route.body }),
        response: { "4xx": refusal, "5xx": refusal },
      },
      ...(route.errors === "openai" && { errorHandler: refuseInOpenaiShape(parts) }),
      onRequest: async (request, reply) => {
        // The absolute form of a target (RFC 9112, 3.2.2) is for proxies: the path that is signed is the path that came.
        if (request.raw.url?.startsWith("/") !== true)
          throw new DomainError("ROUTE_NOT_FOUND", "Send the path alone as the request's target.");
        const visit: Visit = { request, reply, route };
        visits.set(request, visit);
        await admit(visit, parts, "head");
      },
      preHandler: (request) => admit(visitOf(request), parts, "body"),
      onError: (request, reply, error, done) => {
        const reason = reasonOf(error);
        if (reason !== undefined) parts.reporter.refused(reason, visits.get(request)?.caller?.tenant);
        // Otherwise the rest of a body that nobody wants would be read to its end.
        const body = bodyOf(request);
        if (body !== undefined && !request.raw.complete && (body.bytes ?? Infinity) > startLimits.bodyBytes)
          reply.header("connection", "close");
        done();
      },
      handler: async (request) => {
        await forward(visitOf(request), parts);
      },
    });
  }
}

/** Refusals of the parser's are of the same classes: a body that grew too large, and one that is no JSON. */
const parserRefusals: Partial<Readonly<Record<ErrorCode, AccessRefusal>>> = {
  PAYLOAD_TOO_LARGE: "size",
  UNSUPPORTED_MEDIA_TYPE: "content_type",
  INVALID_JSON: "schema",
  VALIDATION_FAILED: "schema",
};

function reasonOf(error: Error): AccessRefusal | undefined {
  if (error instanceof AccessRefused) return error.reason;
  return parserRefusals[toDomainError(error).code];
}
