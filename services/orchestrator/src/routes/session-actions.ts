import { SessionView, sessionActions, type SessionAction } from "@soma/contracts/session";
import { actionBodies, actionCapabilities } from "@soma/contracts/session-action";
import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import type { Server } from "@soma/kit/server";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import { Value } from "typebox/value";
import { requireScope, resolveTenant, type Caller } from "../access/principal.ts";
import { actOnSession, AskedAction, type ActionDeps, type Actor } from "../sessions/act-on-session.ts";
import { findSession } from "../sessions/find-session.ts";
import { viewSession } from "../sessions/session-view.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import type { RouteDeps } from "./route-deps.ts";
import { problems, SessionParams, TenantQuery } from "./session-params.ts";

const summaries: Readonly<Record<SessionAction, string>> = {
  message: "Say something in an interactive session",
  approve: "Approve what a session waits for; for somebody else than who asked",
  deny: "Deny what a session waits for",
  pause: "Begin no further step; what is under way ends",
  resume: "Go on after a pause",
  cancel: "Cancel a session; reaches what is running",
  terminate: "End a session at once, without waiting for what is running",
  retry: "Try the failed step of a conversation again, alone",
  "extend-budget": "Raise the bounds of a session's budget",
};

/** Asked of Temporal, which carries it out while the caller waits; these two go their own way and are only begun. */
const begun: ReadonlySet<SessionAction> = new Set(["cancel", "terminate"]);

const Headers = Type.Object({
  [idempotencyKeyHeader]: Type.Optional(
    Type.String({
      pattern: "^[\\x21-\\x7e]{1,255}$",
      description: "Same key and body in one session: the same action",
    }),
  ),
});

/** `POST /v1/sessions/{id}/actions/{action}`, one route for each action, all alike. */
export function addSessionActions(app: Server, deps: RouteDeps & ActionDeps): void {
  for (const action of sessionActions) {
    const status = begun.has(action) ? 202 : 200;
    app.post(
      `/v1/sessions/:id/actions/${action}`,
      {
        schema: {
          summary: summaries[action],
          tags: ["sessions"],
          params: SessionParams,
          querystring: TenantQuery,
          headers: Headers,
          body: actionBodies[action],
          response: { [status]: SessionView, ...problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 503) },
        },
        // Most actions can go without a body.
        preValidation: noBodyIsEmpty,
      },
      async (request, reply) => {
        const caller = await deps.authenticate(request);
        requireScope(caller, actionCapabilities[action]);
        const tenant = resolveTenant(caller, request.query.tenant);
        const asked = readAsked(action, request.body);
        const row = await findSession(deps.ledger, tenant, request.params.id);
        const accepted = await actOnSession(
          deps,
          row,
          actorOf(caller, row),
          asked,
          request.headers[idempotencyKeyHeader],
        );
        // Who may act and not read, as a key for approvals alone, sees no text.
        const text = caller.authn !== "token" || caller.scopes.includes("session.read");
        const view = await viewSession(deps, await findSession(deps.ledger, row.tenant, row.session_id), { text });
        return reply.code(status).send({ ...view, accepted });
      },
    );
  }
}

function noBodyIsEmpty(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  request.body ??= {};
  done();
}

/** The route's schema has checked it; this ties the body's type to the action's. */
function readAsked(action: SessionAction, body: unknown): AskedAction {
  return Value.Parse(AskedAction, { action, body });
}

/** On loopback nobody says who calls: it is the session's own user, as who can start one there. */
function actorOf(caller: Caller, row: SessionRow): Actor {
  if (caller.authn === "token") return { user: caller.user, role: caller.role, authn: caller.authn };
  return { user: row.user, role: "operator", authn: caller.authn };
}
