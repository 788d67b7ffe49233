import { openaiIdPrefixes, OpenaiResponse, ResponseRequest } from "@soma/contracts/openai";
import { isTerminal } from "@soma/contracts/session";
import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import type { Server } from "@soma/kit/server";
import { Type } from "typebox";
import { requireScope } from "../../access/principal.ts";
import type { SessionRow } from "../../ledger/session-row.ts";
import { readCursor } from "../../openai/cursor.ts";
import { EventSink } from "../../openai/event-sink.ts";
import { readResponse } from "../../openai/response-answer.ts";
import { readResponseRequest } from "../../openai/response-request.ts";
import { abandonSession, resultOf, waitForEnd } from "../../openai/session-answer.ts";
import { tellResponse } from "../../openai/tell-response.ts";
import { cancelSession } from "../../sessions/cancel-session.ts";
import { findSession } from "../../sessions/find-session.ts";
import { startSession } from "../../sessions/start-session.ts";
import { StartHeaders } from "../start-session.ts";
import { assertStreamRoom } from "../../tenants/assert-stream-room.ts";
import type { OpenaiDeps } from "./openai-deps.ts";
import { doNotRepeat, refusals } from "./openai-errors.ts";
import { tokenPrincipal } from "./token-principal.ts";

const Params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 200, description: "resp_<session id>" }) });
const Query = Type.Object(
  {
    stream: Type.Optional(Type.Unsafe<"true" | "false">(Type.String({ enum: ["true", "false"] }))),
    starting_after: Type.Optional(
      Type.String({
        pattern: "^(0|[1-9][0-9]{0,15})$",
        description: "A sequence_number of the stream, or a bare sequence of the session's ledger",
      }),
    ),
    include_obfuscation: Type.Optional(Type.Literal("false")),
  },
  { additionalProperties: false },
);
const told = {
  description: "The response, or with `stream` its events",
  content: { "application/json": { schema: OpenaiResponse }, "text/event-stream": { schema: Type.String() } },
};

/** `POST /v1/responses`, `GET /v1/responses/{id}`, `POST /v1/responses/{id}/cancel`. */
export function addResponses(app: Server, deps: OpenaiDeps): void {
  app.post(
    "",
    {
      schema: {
        summary: "Start a session of this input; wait for it, stream it, or leave it in the background",
        tags: ["openai"],
        headers: StartHeaders,
        body: ResponseRequest,
        response: { 200: told, ...refusals(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503, 504) },
      },
    },
    async (request, reply) => {
      const caller = await deps.authenticate(request);
      requireScope(caller, "session.start");
      const principal = tokenPrincipal(caller);
      const { stream, background } = request.body;
      const asked = readResponseRequest(request.body);
      const key = request.headers[idempotencyKeyHeader];
      if (stream === true) await assertStreamRoom(deps, principal.tenant);
      const sink = new EventSink(reply);
      const { session_id } = await deps.starts.run(principal.tenant, key, () =>
        startSession(deps, principal, asked, key),
      );
      doNotRepeat(reply);
      const row = await findSession(deps.ledger, principal.tenant, session_id);
      try {
        if (stream === true) {
          deps.streams.count(row.tenant, reply.raw);
          await tellResponse(deps, row, sink, readCursor(0));
          return await reply;
        }
        if (background === true) return await reply.send(await readResponse(deps, row));
        if (!(await waitForEnd(deps, row, sink.gone))) return await reply.hijack();
        // A failure is an HTTP error here, so that the SDKs throw; read later, it is a response that failed.
        await resultOf(deps, row);
        return await reply.send(await readResponse(deps, row));
      } finally {
        if (sink.gone.aborted && background !== true && key === undefined)
          await abandonSession(deps, row, principal.user);
      }
    },
  );

  app.get(
    "/:id",
    {
      schema: {
        summary: "A session as a response; with `stream` its events from after a place on",
        tags: ["openai"],
        params: Params,
        querystring: Query,
        response: { 200: told, ...refusals(400, 401, 403, 404, 410, 429, 503) },
      },
    },
    async (request, reply) => {
      const caller = await deps.authenticate(request);
      requireScope(caller, "session.read");
      const row = await find(deps, tokenPrincipal(caller).tenant, request.params.id);
      if (request.query.stream !== "true") return readResponse(deps, row);
      await assertStreamRoom(deps, row.tenant);
      const sink = new EventSink(reply);
      deps.streams.count(row.tenant, reply.raw);
      await tellResponse(deps, row, sink, readCursor(Number(request.query.starting_after ?? 0)));
      return reply;
    },
  );

  app.post(
    "/:id/cancel",
    {
      schema: {
        summary: "Cancel a response's session; one that has ended is shown as it is",
        tags: ["openai"],
        params: Params,
        response: { 200: OpenaiResponse, ...refusals(401, 403, 404, 503) },
      },
    },
    async (request) => {
      const caller = await deps.authenticate(request);
      requireScope(caller, "session.cancel");
      const principal = tokenPrincipal(caller);
      const row = await find(deps, principal.tenant, request.params.id);
      try {
        if (!isTerminal(row.status)) await cancelSession(deps, row, principal.user);
      } catch (error) {
        // It ended in between, which is what was asked for.
        if (!(error instanceof DomainError && error.code === "SESSION_ENDED")) throw error;
      }
      return readResponse(deps, row);
    },
  );
}

/** @throws DomainError SESSION_NOT_FOUND, the same for a foreign id, an unknown one and one that is none */
function find(deps: OpenaiDeps, tenant: SessionRow["tenant"], id: string): Promise<SessionRow> {
  const { response: prefix } = openaiIdPrefixes;
  return findSession(deps.ledger, tenant, id.startsWith(prefix) ? id.slice(prefix.length) : "");
}
