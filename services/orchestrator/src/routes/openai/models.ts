import { OpenaiModel, OpenaiModelList } from "@soma/contracts/openai";
import { DomainError } from "@soma/kit/domain-error";
import type { Server } from "@soma/kit/server";
import { Type } from "typebox";
import { requireScope } from "../../access/principal.ts";
import { listModels } from "../../openai/list-models.ts";
import type { OpenaiDeps } from "./openai-deps.ts";
import { refusals } from "./openai-errors.ts";
import { tokenPrincipal } from "./token-principal.ts";

/** `GET /v1/models` and `GET /v1/models/{id}`: what the model service answers. */
export function addModels(app: Server, deps: OpenaiDeps): void {
  app.get(
    "",
    {
      schema: {
        summary: "Models that the caller can use",
        tags: ["openai"],
        response: { 200: OpenaiModelList, ...refusals(401, 403, 503) },
      },
    },
    async (request) => {
      const caller = await deps.authenticate(request);
      requireScope(caller, "session.read");
      return { object: "list" as const, data: [...(await listModels(deps, tokenPrincipal(caller)))] };
    },
  );
  app.get(
    "/:id",
    {
      schema: {
        summary: "One model",
        tags: ["openai"],
        params: Type.Object({ id: Type.String({ minLength: 1, maxLength: 200 }) }),
        response: { 200: OpenaiModel, ...refusals(401, 403, 404, 503) },
      },
    },
    async (request) => {
      const caller = await deps.authenticate(request);
      requireScope(caller, "session.read");
      const models = await listModels(deps, tokenPrincipal(caller));
      const model = models.find(({ id }) => id === request.params.id);
      if (!model) throw new DomainError("MODEL_NOT_FOUND", "The model service has no model of this name.");
      return model;
    },
  );
}
