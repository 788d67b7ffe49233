import { createServer, type ServerResponse } from "node:http";
import { announce } from "./announce.ts";

/**
 * Load equipment: speaks the OpenAI protocol and answers at once, so that what a session costs besides its model can be
 * measured. It proves nothing of what works and has no place in a test of function.
 */
const envelope = { id: "instant", object: "chat.completion.chunk", created: 0, model: "instant" };
const answer = [
  { ...envelope, choices: [{ index: 0, delta: { role: "assistant", content: "One" } }] },
  { ...envelope, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
  { ...envelope, choices: [], usage: { prompt_tokens: 4, completion_tokens: 1, total_tokens: 5 } },
]
  .map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
  .concat("data: [DONE]\n\n")
  .join("");

const server = createServer((request, response: ServerResponse) => {
  request.resume();
  request.on("end", () => {
    if (request.method === "GET") response.end("{}");
    else response.writeHead(200, { "content-type": "text/event-stream" }).end(answer);
  });
});
server.keepAliveTimeout = 60_000;
announce(server);
