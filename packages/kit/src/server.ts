import { randomUUID } from "node:crypto";
import fastifySwagger from "@fastify/swagger";
import fastifySwaggerUi from "@fastify/swagger-ui";
import { TypeBoxValidatorCompiler, type TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { errors } from "@soma/contracts/error-codes";
import { namedSchemas } from "@soma/contracts/named-schemas";
import { Problem } from "@soma/contracts/problem";
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RawServerDefault,
} from "fastify";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Type } from "typebox";
import { boundPipelining } from "./bound-pipelining.ts";
import { answerClientError } from "./client-error.ts";
import { DomainError } from "./domain-error.ts";
import { assertDepth } from "./json-depth.ts";
import type { Logger } from "./logger.ts";
import type { ServiceMetrics } from "./metrics.ts";
import { nameSchemas } from "./name-schemas.ts";
import { sendProblem, toDomainError } from "./problem-response.ts";
import { watchSilentConnections } from "./silent-connections.ts";

export type Server = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What `/ready` says is missing: a dependency's name and where it was looked for. */
export interface Missing {
  readonly name: string;
  readonly address?: string;
  /** Unless false, the service is not ready without it; false: it serves, and what needs this waits. */
  readonly required?: boolean;
}

interface ServerOptions {
  readonly service: string;
  readonly version: string;
  /** One paragraph for the OpenAPI document. */
  readonly description: string;
  readonly log: Logger;
  readonly metrics: ServiceMetrics;
  /** What keeps the service from being ready; empty when nothing does. */
  readonly missing: () => readonly Missing[] | Promise<readonly Missing[]>;
  /** True when all routes but those of operations take a bearer token. */
  readonly bearer?: boolean;
  readonly bodyLimitBytes?: number;
  /** Levels of objects and lists in a body; 8 unless given. */
  readonly maxDepth?: number;
  /** Adds hooks that hold for every route, those of this builder and unknown ones included. */
  readonly guard?: (app: Server) => void;
  /** The OpenAPI document to show instead of the one made from the routes. */
  readonly document?: () => Record<string, unknown>;
}

/**
 * The HTTP server that every service starts from: JSON only, bounded bodies, depth and times, problem+json for every
 * error, a request id on every answer, `/health`, `/ready`, `/metrics`, `/openapi.json` and `/docs`.
 * Routes are added by the caller; nothing listens yet.
 */
export async function buildServer(options: ServerOptions): Promise<Server> {
  const { log, metrics } = options;
  /** The one way to a problem document; also before any hook has run. */
  const refuse = (request: FastifyRequest, reply: FastifyReply, error: DomainError): FastifyReply => {
    metrics.requestsRefused.inc({ code: error.code });
    reply.header("x-request-id", request.id);
    return sendProblem(request, reply, error);
  };
  const app: Server = fastify({
    logger: false,
    // Unless told, Node waits 60 s for the headers, and looks for late requests every 30 s.
    http: { requestTimeout: 15_000, headersTimeout: 10_000, connectionsCheckingInterval: 2_000 },
    // Both default to none in Node: a dripping client would hold its connection for ever.
    requestTimeout: 15_000,
    connectionTimeout: 20_000,
    keepAliveTimeout: 10_000,
    bodyLimit: options.bodyLimitBytes ?? 262_144,
    routerOptions: { maxParamLength: 200 },
    onProtoPoisoning: "error",
    onConstructorPoisoning: "error",
    return503OnClosing: true,
    forceCloseConnections: "idle",
    genReqId: (request) => requestId(request.headers["x-request-id"]),
    frameworkErrors: (error, request, reply) => void refuse(request, reply, toDomainError(error)),
    clientErrorHandler: (error, socket) => {
      const code = answerClientError(error, socket);
      if (code !== undefined) metrics.requestsRefused.inc({ code });
    },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  app.removeContentTypeParser("text/plain");

  boundPipelining(app);
  const endSilentConnections = watchSilentConnections(app.server);
  let closing = false;
  app.addHook("preClose", (done) => {
    closing = true;
    endSilentConnections();
    done();
  });
  app.addHook("onSend", (_request, reply, _payload, done) => {
    // An answer that was under way when the close began: kept alive, its connection would hold the close up.
    if (closing) reply.header("connection", "close");
    done();
  });
  app.addHook("onRequest", (request, reply, done) => {
    reply.header("x-request-id", request.id);
    done();
  });
  app.addHook("preValidation", (request, _reply, done) => {
    assertDepth(request.body, options.maxDepth ?? 8);
    done();
  });
  app.addHook("onResponse", (request, reply, done) => {
    // The pattern, not the path: a path holds ids.
    const route = request.routeOptions.url ?? "none";
    const status = String(reply.statusCode);
    metrics.requestSeconds.observe({ method: request.method, route, status }, reply.elapsedTime / 1000);
    const line = {
      request_id: request.id,
      method: request.method,
      route,
      status: reply.statusCode,
      duration_ms: Math.round(reply.elapsedTime),
    };
    if (isProbe(route)) log.debug(line, "request");
    else log.info(line, "request");
    done();
  });
  app.setErrorHandler((error, request, reply) => {
    const known = toDomainError(error, request.routeOptions.schema);
    if (errors[known.code].status >= 500)
      log.error({ request_id: request.id, code: known.code, err: known.cause ?? known }, "request failed");
    return refuse(request, reply, known);
  });
  app.setNotFoundHandler((request, reply) =>
    refuse(
      request,
      reply,
      new DomainError("ROUTE_NOT_FOUND", "No route serves this method and path; /openapi.json lists them all."),
    ),
  );

  // Before the first route: a hook that comes later does not reach what a plugin has added.
  options.guard?.(app);
  await app.register(fastifySwagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: `Soma ${options.service}`, version: options.version, description: options.description },
      ...(options.bearer === true && { security: [{ bearer: [] }] }),
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" } } },
    },
    transformObject: (own) =>
      "openapiObject" in own ? nameSchemas(own.openapiObject, namedSchemas) : own.swaggerObject,
  });
  await app.register(fastifySwaggerUi, {
    routePrefix: "/docs",
    transformSpecification: (own) => options.document?.() ?? own,
    transformSpecificationClone: false,
  });
  addOperations(app, options);
  return app;
}

/** What an operator's probes and tools read. `/health` calls nothing: a dependency that is down must not restart us. */
function addOperations(app: Server, options: ServerOptions): void {
  const Health = Type.Object({ status: Type.Literal("ok"), service: Type.String(), version: Type.String() });
  const MissingOnes = Type.Array(Type.Object({ name: Type.String(), address: Type.Optional(Type.String()) }));
  const Ready = Type.Object({
    status: Type.Unsafe<"ready" | "degraded">(Type.String({ enum: ["ready", "degraded"] })),
    missing: MissingOnes,
  });
  const NotReady = Type.Object({ ...Problem.properties, missing: MissingOnes });
  app.get(
    "/health",
    { schema: { summary: "Liveness; calls nothing", security: [], response: { 200: Health } } },
    () => ({
      status: "ok" as const,
      service: options.service,
      version: options.version,
    }),
  );
  app.get(
    "/ready",
    { schema: { summary: "Readiness; names what is missing", security: [], response: { 200: Ready, 503: NotReady } } },
    async (request, reply) => {
      const missing = [...(await options.missing())];
      if (!missing.some(({ required }) => required !== false)) {
        return { status: missing.length === 0 ? ("ready" as const) : ("degraded" as const), missing };
      }
      const names = missing
        .map(({ name, address }) => (address === undefined ? name : `${name} at ${address}`))
        .join(", ");
      const { status, title } = errors.NOT_READY;
      return reply
        .code(503)
        .header("retry-after", "2")
        .type("application/problem+json")
        .send({
          type: "urn:soma:problem:not-ready",
          title,
          status,
          detail: `Missing: ${names}.`,
          code: "NOT_READY" as const,
          request_id: request.id,
          missing,
        });
    },
  );
  app.get(
    "/metrics",
    { schema: { summary: "Prometheus text format", security: [], response: { 200: Type.String() } } },
    async (_request, reply) =>
      reply.type(options.metrics.registry.contentType).send(await options.metrics.registry.metrics()),
  );
  let written: { readonly of: object; readonly bytes: Buffer } | undefined;
  app.get("/openapi.json", { schema: { hide: true } }, (_request, reply) => {
    const document: object = options.document?.() ?? app.swagger();
    // Once for all readers: it is large, and anybody may ask for it.
    if (written?.of !== document) written = { of: document, bytes: Buffer.from(JSON.stringify(document)) };
    return reply.type("application/json; charset=utf-8").send(written.bytes);
  });
}

function isProbe(route: string): boolean {
  return route === "/health" || route === "/ready" || route === "/metrics";
}

/** A caller's id is kept when it is harmless in a log line and a header. */
function requestId(header: string | string[] | undefined): string {
  return typeof header === "string" && /^[A-Za-z0-9._-]{1,128}$/.test(header) ? header : randomUUID();
}
