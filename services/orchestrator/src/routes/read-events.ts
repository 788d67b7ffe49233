import { EventPage } from "@soma/contracts/audit";
import { deltaAfterPattern } from "@soma/contracts/session-stream";
import type { Server } from "@soma/kit/server";
import { Type } from "typebox";
import { requireEither, resolveTenant } from "../access/principal.ts";
import { findSession } from "../sessions/find-session.ts";
import { readTextPlace } from "../streams/text-places.ts";
import { assertStreamRoom } from "../tenants/assert-stream-room.ts";
import type { RouteDeps } from "./route-deps.ts";
import { problems, SessionParams, TenantQuery } from "./session-params.ts";

const position = "^(0|[1-9][0-9]{0,14})$";
const Query = Type.Object(
  {
    ...TenantQuery.properties,
    after: Type.Optional(
      Type.String({ pattern: position, description: "Events after this `sequence`; 0 unless given" }),
    ),
    delta_after: Type.Optional(
      Type.String({
        pattern: deltaAfterPattern,
        description:
          "Of a stream: `step:attempt:offset`, how far its reader has come in the text of a running step; its deltas go on there",
      }),
    ),
    limit: Type.Optional(
      Type.String({ pattern: "^([1-9][0-9]{0,2}|1000)$", description: "1 to 1000; 100 unless given" }),
    ),
  },
  { additionalProperties: false },
);
const Headers = Type.Object({
  "last-event-id": Type.Optional(
    Type.String({ pattern: position, description: "Resumes a stream; wins over `after`" }),
  ),
});

/** `GET /v1/sessions/{id}/events`: pages of JSON, or with `Accept: text/event-stream` a stream until the session's end. */
export function addReadEvents(app: Server, deps: RouteDeps): void {
  app.addHook("preClose", () => deps.streams.close());
  app.get(
    "/v1/sessions/:id/events",
    {
      schema: {
        summary: "The session's ledger, as pages or as a stream",
        tags: ["sessions"],
        params: SessionParams,
        querystring: Query,
        headers: Headers,
        response: {
          200: {
            description: "A page, or with `accept: text/event-stream` the stream",
            content: {
              "application/json": { schema: EventPage },
              "text/event-stream": { schema: Type.String() },
            },
          },
          ...problems(400, 401, 403, 404, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const caller = await deps.authenticate(request);
      const text = requireEither(caller, "session.read", "ledger.read");
      const row = await findSession(deps.ledger, resolveTenant(caller, request.query.tenant), request.params.id);
      const after = Number(request.headers["last-event-id"] ?? request.query.after ?? 0);
      if (/\btext\/event-stream\b/.test(request.headers.accept ?? "")) {
        await assertStreamRoom(deps, row.tenant);
        reply.hijack();
        reply.raw.setHeader("x-request-id", request.id);
        const { delta_after: deltaAfter } = request.query;
        const place = deltaAfter === undefined ? undefined : readTextPlace(deltaAfter);
        await deps.streams.open(row, reply.raw, { after, place, text });
        return reply;
      }
      const limit = Number(request.query.limit ?? 100);
      const events = await deps.ledger.readEvents({ tenant: row.tenant, sessionId: row.session_id, after, limit });
      const last = events.at(-1);
      // A page that begins where it was asked to needs no second look; of an empty one it would not be known why.
      const whole = events[0]?.sequence === after + 1;
      const gap = whole ? undefined : await deps.ledger.gapOf({ tenant: row.tenant, sessionId: row.session_id });
      return reply.send({
        session_id: row.session_id,
        ...(gap !== undefined && after < gap.to && { gap }),
        events: [...events],
        ...(last && events.length === limit && last.sequence < row.last_seq && { next_after: last.sequence }),
      });
    },
  );
}
