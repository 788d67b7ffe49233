import { SessionView } from "@soma/contracts/session";
import type { Server } from "@soma/kit/server";
import { requireScope, resolveTenant } from "../access/principal.ts";
import { cancelSession } from "../sessions/cancel-session.ts";
import { findSession } from "../sessions/find-session.ts";
import { viewSession } from "../sessions/session-view.ts";
import type { RouteDeps } from "./route-deps.ts";
import { problems, SessionParams, TenantQuery } from "./session-params.ts";

/** `POST /v1/sessions/{id}/actions/cancel`. */
export function addCancelSession(app: Server, deps: RouteDeps): void {
  app.post(
    "/v1/sessions/:id/actions/cancel",
    {
      schema: {
        summary: "Cancel a session; reaches what is running",
        tags: ["sessions"],
        params: SessionParams,
        querystring: TenantQuery,
        response: { 202: SessionView, ...problems(400, 401, 403, 404, 409, 503) },
      },
    },
    async (request, reply) => {
      const caller = await deps.authenticate(request);
      requireScope(caller, "session.cancel");
      const tenant = resolveTenant(caller, request.query.tenant);
      const row = await findSession(deps.ledger, tenant, request.params.id);
      await cancelSession(deps, row, caller.authn === "token" ? caller.user : undefined);
      return reply.code(202).send(await viewSession(deps, await findSession(deps.ledger, row.tenant, row.session_id)));
    },
  );
}
