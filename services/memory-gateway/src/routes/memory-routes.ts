import { Memory, MemoryKey, Remembered, RememberRequest, Retrieved, RetrieveRequest } from "@soma/contracts/memory";
import { Problem } from "@soma/contracts/problem";
import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import type { Server } from "@soma/kit/server";
import { Type } from "typebox";
import { authenticate } from "../access/authenticate.ts";
import { recall } from "../memories/recall.ts";
import { remember } from "../memories/remember.ts";
import { retrieve } from "../memories/retrieve.ts";
import type { MemoryParts } from "../memory-gateway.ts";

const problems = { "4xx": Problem, "5xx": Problem };

/** What a user's own token, or that of a step of his session, reaches: his own memory. */
export function addMemoryRoutes(app: Server, parts: MemoryParts): void {
  app.post(
    "/v1/remember",
    {
      schema: {
        summary: "Remember a text under a key; needs memory.remember and model.embed",
        headers: Type.Object({
          [idempotencyKeyHeader]: Type.Optional(
            Type.String({
              pattern: "^[\\x21-\\x7e]{1,255}$",
              description: "The same request again is the same memory; of a step's token: the step's effect key",
            }),
          ),
        }),
        body: RememberRequest,
        response: { 200: Remembered, ...problems },
      },
    },
    async (request) => {
      const caller = await authenticate(parts.identity, request, "memory.remember");
      return remember(parts, caller, request.body);
    },
  );
  app.get(
    "/v1/recall/:key",
    {
      schema: {
        summary: "What is remembered under a key; needs memory.recall",
        params: Type.Object({ key: MemoryKey }),
        response: { 200: Memory, ...problems },
      },
    },
    async (request) => {
      const caller = await authenticate(parts.identity, request, "memory.recall");
      return recall(parts, caller, request.params.key);
    },
  );
  app.post(
    "/v1/rag/retrieve",
    {
      schema: {
        summary: "The passages nearest to a query, best first; needs memory.recall and model.embed",
        body: RetrieveRequest,
        response: { 200: Retrieved, ...problems },
      },
    },
    async (request) => {
      const caller = await authenticate(parts.identity, request, "memory.recall");
      return retrieve(parts, caller, request.body);
    },
  );
}
