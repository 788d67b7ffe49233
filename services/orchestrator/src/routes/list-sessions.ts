import { UserIdSchema } from "@soma/contracts/ids";
import { SessionPage, SessionStatusSchema } from "@soma/contracts/session";
import type { Server } from "@soma/kit/server";
import { Type } from "typebox";
import { requireEither, resolveTenant } from "../access/principal.ts";
import { refuse } from "../sessions/session-input.ts";
import { viewSession } from "../sessions/session-view.ts";
import type { RouteDeps } from "./route-deps.ts";
import { problems, TenantQuery } from "./session-params.ts";

const Query = Type.Object(
  {
    ...TenantQuery.properties,
    status: Type.Optional(SessionStatusSchema),
    user: Type.Optional(UserIdSchema),
    capsule: Type.Optional(Type.String({ maxLength: 128 })),
    label: Type.Optional(Type.String({ maxLength: 64 })),
    since: Type.Optional(Type.String({ maxLength: 40, description: "RFC 3339: sessions created at or after" })),
    cursor: Type.Optional(Type.String({ maxLength: 512 })),
    limit: Type.Optional(
      Type.String({ pattern: "^([1-9]|[1-9][0-9]|100)$", description: "1 to 100; 20 unless given" }),
    ),
  },
  { additionalProperties: false },
);

export function addListSessions(app: Server, deps: RouteDeps): void {
  app.get(
    "/v1/sessions",
    {
      schema: {
        summary: "Sessions of the caller's tenant, newest first",
        tags: ["sessions"],
        querystring: Query,
        response: { 200: SessionPage, ...problems(400, 401, 403, 503) },
      },
    },
    async (request) => {
      const caller = await deps.authenticate(request);
      const text = requireEither(caller, "session.read", "ledger.read");
      const { limit = "20", tenant: claimed, ...filters } = request.query;
      const tenant =
        resolveTenant(caller, claimed) ?? refuse("/querystring/tenant", "is required, because no token says who calls");
      const { rows, nextCursor } = await deps.ledger.listSessions({ ...filters, tenant, limit: Number(limit) });
      const sessions = await Promise.all(rows.map((row) => viewSession(deps, row, { text })));
      return { sessions, ...(nextCursor !== undefined && { next_cursor: nextCursor }) };
    },
  );
}
