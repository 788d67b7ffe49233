import { openaiPaths } from "@soma/contracts/openai-errors";
import { keepRawBody } from "@soma/kit/raw-body";
import type { Server } from "@soma/kit/server";
import { addChatCompletions } from "./chat-completions.ts";
import { addModels } from "./models.ts";
import type { OpenaiDeps } from "./openai-deps.ts";
import { answerInOpenaiShape, notFoundInOpenaiShape } from "./openai-errors.ts";
import { addResponses } from "./responses.ts";

/** The OpenAI-compatible face: the same use cases under OpenAI's paths, shapes and errors. */
export async function addOpenai(app: Server, deps: OpenaiDeps): Promise<void> {
  const rooms = [
    [openaiPaths.chat, addChatCompletions],
    [openaiPaths.responses, addResponses],
    [openaiPaths.models, addModels],
  ] as const;
  for (const [prefix, addRoutes] of rooms) {
    await app.register(
      async (room: Server) => {
        room.setErrorHandler(answerInOpenaiShape(deps));
        room.setNotFoundHandler(notFoundInOpenaiShape(deps));
        // openai-python names JSON as the type of a body that it does not send, on cancel.
        keepRawBody(room, { emptyIsNone: true });
        addRoutes(room, deps);
      },
      { prefix },
    );
  }
}
