import { EraseSubjectRequest, ErasureReport, StopReport, StopRequest } from "@soma/contracts/stop";
import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import type { Server } from "@soma/kit/server";
import { requireManager } from "../access/manager.ts";
import { eraseSubject } from "../stops/erase-subject.ts";
import type { StopDeps } from "../stops/stop-deps.ts";
import { stopSessions } from "../stops/stop-sessions.ts";
import type { RouteDeps } from "./route-deps.ts";
import { problems } from "./session-params.ts";
import { ChangeHeaders } from "./tenants/tenant-params.ts";

const changeProblems = problems(400, 401, 403, 404, 409, 413, 415, 422, 503);

/** `POST /v1/stops` and `POST /v1/erasures`. */
export function addStops(app: Server, deps: RouteDeps & StopDeps): void {
  app.post(
    "/v1/stops",
    {
      schema: {
        summary: "Stop what runs: a session, a user's, an agent's, a tenant's or all",
        tags: ["stops"],
        headers: ChangeHeaders,
        body: StopRequest,
        response: { 200: StopReport, ...changeProblems },
      },
    },
    async (request) => {
      const manager = requireManager(await deps.authenticate(request));
      return stopSessions(deps, manager, request.body, request.headers[idempotencyKeyHeader]);
    },
  );
  app.post(
    "/v1/erasures",
    {
      schema: {
        summary: "Erase a data subject: end the sessions, destroy the keys of the texts, forget the memory",
        tags: ["stops"],
        headers: ChangeHeaders,
        body: EraseSubjectRequest,
        response: { 200: ErasureReport, ...changeProblems },
      },
    },
    async (request) => {
      const manager = requireManager(await deps.authenticate(request));
      return eraseSubject(deps, manager, request.body, request.headers[idempotencyKeyHeader]);
    },
  );
}
