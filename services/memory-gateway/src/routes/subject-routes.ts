import { Readable } from "node:stream";
import { ErasedSubject, SubjectQuery } from "@soma/contracts/memory";
import { Problem } from "@soma/contracts/problem";
import type { Server } from "@soma/kit/server";
import { Type } from "typebox";
import { authenticate } from "../access/authenticate.ts";
import { exportSubject } from "../memories/export-subject.ts";
import type { MemoryParts } from "../memory-gateway.ts";

const problems = { "4xx": Problem, "5xx": Problem };

/** What is done for somebody by who may: an admin, or the orchestrator in his name. The tenant is the token's. */
export function addSubjectRoutes(app: Server, parts: MemoryParts): void {
  app.get(
    "/v1/export",
    {
      schema: {
        summary: "All that is remembered of a user, one JSON document a line; needs subject.erase",
        querystring: SubjectQuery,
        produces: ["application/x-ndjson"],
        response: { 200: Type.Unsafe<Readable>(Type.String({ description: "Lines of memories" })), ...problems },
      },
    },
    async (request, reply) => {
      const { tenant } = await authenticate(parts.identity, request, "subject.erase");
      const lines = exportSubject(parts, { tenant, user: request.query.subject });
      // The first line is waited for, so that what cannot be read at all is an error and no answer cut short.
      const first = await lines.next();
      return reply
        .type("application/x-ndjson; charset=utf-8")
        .header("cache-control", "no-store")
        .send(Readable.from(first.done === true ? [] : withFirst(first.value, lines)));
    },
  );
  app.delete(
    "/v1/subject",
    {
      schema: {
        summary: "Erase all that is remembered of a user; needs subject.erase; again it answers zero",
        querystring: SubjectQuery,
        response: { 200: ErasedSubject, ...problems },
      },
    },
    async (request) => {
      const { tenant } = await authenticate(parts.identity, request, "subject.erase");
      const erased = await parts.store.erase({ tenant, user: request.query.subject });
      if (erased.keys > 0) parts.metrics.erasures.inc();
      parts.log.info({ request_id: request.id, tenant, count: erased.memories }, "a subject was erased");
      return erased;
    },
  );
}

async function* withFirst(first: string, lines: AsyncIterable<string>): AsyncGenerator<string> {
  yield first;
  yield* lines;
}
