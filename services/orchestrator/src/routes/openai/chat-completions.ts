import { ChatCompletion, ChatCompletionRequest } from "@soma/contracts/openai";
import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import type { Server } from "@soma/kit/server";
import { Type } from "typebox";
import { requireScope } from "../../access/principal.ts";
import { chatCompletion } from "../../openai/chat-answer.ts";
import { readChatRequest } from "../../openai/chat-request.ts";
import { EventSink } from "../../openai/event-sink.ts";
import { abandonSession, resultOf, waitForEnd } from "../../openai/session-answer.ts";
import { tellChat } from "../../openai/tell-chat.ts";
import { findSession } from "../../sessions/find-session.ts";
import { startSession } from "../../sessions/start-session.ts";
import { StartHeaders } from "../start-session.ts";
import { assertStreamRoom } from "../../tenants/assert-stream-room.ts";
import type { OpenaiDeps } from "./openai-deps.ts";
import { doNotRepeat, refusals } from "./openai-errors.ts";
import { tokenPrincipal } from "./token-principal.ts";

/** `POST /v1/chat/completions`: a session of these messages, answered when it has ended, or streamed. */
export function addChatCompletions(app: Server, deps: OpenaiDeps): void {
  app.post(
    "/completions",
    {
      schema: {
        summary: "Start a session of these messages and wait for its answer, or stream it",
        tags: ["openai"],
        headers: StartHeaders,
        body: ChatCompletionRequest,
        response: {
          200: {
            description: "The completion, or with `stream: true` its chunks",
            content: {
              "application/json": { schema: ChatCompletion },
              "text/event-stream": { schema: Type.String() },
            },
          },
          ...refusals(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503, 504),
        },
      },
    },
    async (request, reply) => {
      const caller = await deps.authenticate(request);
      requireScope(caller, "session.start");
      const principal = tokenPrincipal(caller);
      const asked = readChatRequest(request.body);
      const key = request.headers[idempotencyKeyHeader];
      if (request.body.stream === true) await assertStreamRoom(deps, principal.tenant);
      const sink = new EventSink(reply);
      const { session_id } = await deps.starts.run(principal.tenant, key, () =>
        startSession(deps, principal, asked, key),
      );
      doNotRepeat(reply);
      const row = await findSession(deps.ledger, principal.tenant, session_id);
      try {
        if (request.body.stream === true) {
          deps.streams.count(row.tenant, reply.raw);
          await tellChat(deps, { row, sink, includeUsage: request.body.stream_options?.include_usage === true });
          return await reply;
        }
        if (await waitForEnd(deps, row, sink.gone))
          return await reply.send(chatCompletion(row, await resultOf(deps, row)));
        return await reply.hijack();
      } finally {
        // With a key the caller can come back for the answer; without one nobody ever will.
        if (sink.gone.aborted && key === undefined) await abandonSession(deps, row, principal.user);
      }
    },
  );
}
