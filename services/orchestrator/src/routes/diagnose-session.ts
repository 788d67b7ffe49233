import { SessionDiagnosis } from "@soma/contracts/diagnosis";
import type { Server } from "@soma/kit/server";
import { requireEither, resolveTenant } from "../access/principal.ts";
import { diagnoseSession, type DiagnosisDeps } from "../diagnosis/diagnose-session.ts";
import { findSession } from "../sessions/find-session.ts";
import type { RouteDeps } from "./route-deps.ts";
import { problems, SessionParams, TenantQuery } from "./session-params.ts";

/** `GET /v1/sessions/{id}/diagnosis`. */
export function addDiagnoseSession(app: Server, deps: RouteDeps & DiagnosisDeps): void {
  app.get(
    "/v1/sessions/:id/diagnosis",
    {
      schema: {
        summary: "Why a session is where it is, and what would move it",
        tags: ["sessions"],
        params: SessionParams,
        querystring: TenantQuery,
        response: { 200: SessionDiagnosis, ...problems(400, 401, 403, 404, 503) },
      },
    },
    async (request) => {
      const caller = await deps.authenticate(request);
      // No text is in it: who may read ledgers alone sees all of it, too.
      requireEither(caller, "session.read", "ledger.read");
      const tenant = resolveTenant(caller, request.query.tenant);
      return diagnoseSession(deps, await findSession(deps.ledger, tenant, request.params.id), deps.tenants.now());
    },
  );
}
