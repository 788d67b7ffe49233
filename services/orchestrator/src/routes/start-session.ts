import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import { StartSessionAccepted, StartSessionRequest } from "@soma/contracts/session";
import type { Server } from "@soma/kit/server";
import { Type } from "typebox";
import { requireScope, resolvePrincipal } from "../access/principal.ts";
import { refuse } from "../sessions/session-input.ts";
import { startSession } from "../sessions/start-session.ts";
import type { StartsUnderWay } from "../sessions/starts-under-way.ts";
import type { RouteDeps } from "./route-deps.ts";
import { problems } from "./session-params.ts";

/** Headers of every operation that starts a session. */
export const StartHeaders = Type.Object({
  [idempotencyKeyHeader]: Type.Optional(
    Type.String({ pattern: "^[\\x21-\\x7e]{1,255}$", description: "Same key and body within 24 h: the same answer" }),
  ),
});

/** What the routes that start sessions need beside the others. */
export interface StartDeps extends RouteDeps {
  readonly starts: StartsUnderWay;
}

/** `POST /v1/sessions` and `POST /v1/sessions/start`: the same operation under two paths. */
export function addStartSession(app: Server, deps: StartDeps): void {
  for (const url of ["/v1/sessions", "/v1/sessions/start"]) {
    app.post(
      url,
      {
        schema: {
          summary: "Start a session",
          tags: ["sessions"],
          headers: StartHeaders,
          body: StartSessionRequest,
          response: { 202: StartSessionAccepted, ...problems(400, 401, 403, 409, 413, 415, 422, 429, 503) },
        },
      },
      async (request, reply) => {
        const caller = await deps.authenticate(request);
        requireScope(caller, "session.start");
        const { body } = request;
        const principal = resolvePrincipal(caller, {
          tenant: oneOf("/tenant", body.tenant, body.tenant_id),
          user: oneOf("/user", body.user, body.user_id),
        });
        const key = request.headers[idempotencyKeyHeader];
        return reply
          .code(202)
          .send(await deps.starts.run(principal.tenant, key, () => startSession(deps, principal, body, key)));
      },
    );
  }
}

/** A name and its alias: one of them, or both with the same value. */
function oneOf<Value extends string>(
  pointer: string,
  name: Value | undefined,
  alias: Value | undefined,
): Value | undefined {
  if (name !== undefined && alias !== undefined && name !== alias)
    return refuse(`${pointer}_id`, `differs from ${pointer}; send one of them`);
  return name ?? alias;
}
