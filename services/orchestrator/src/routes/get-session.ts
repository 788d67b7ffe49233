import { SessionView } from "@soma/contracts/session";
import type { Server } from "@soma/kit/server";
import { requireEither, resolveTenant } from "../access/principal.ts";
import { findSession } from "../sessions/find-session.ts";
import { viewSession } from "../sessions/session-view.ts";
import type { RouteDeps } from "./route-deps.ts";
import { problems, SessionParams, TenantQuery } from "./session-params.ts";

export function addGetSession(app: Server, deps: RouteDeps): void {
  app.get(
    "/v1/sessions/:id",
    {
      schema: {
        summary: "Status and result of a session",
        tags: ["sessions"],
        params: SessionParams,
        querystring: TenantQuery,
        response: { 200: SessionView, ...problems(400, 401, 403, 404, 503) },
      },
    },
    async (request) => {
      const caller = await deps.authenticate(request);
      // Who may read ledgers alone, an auditor, sees no text.
      const text = requireEither(caller, "session.read", "ledger.read");
      const tenant = resolveTenant(caller, request.query.tenant);
      return viewSession(deps, await findSession(deps.ledger, tenant, request.params.id), { text });
    },
  );
}
