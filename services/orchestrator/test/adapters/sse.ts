import { setTimeout as sleep } from "node:timers/promises";
import type { Answer } from "../../../../packages/kit/test/scripted-server.ts";

/** One server-sent event with a value as JSON. */
export function event(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

/** A chunk of an OpenAI-compatible stream with a piece of text. */
export function piece(content: string): string {
  return event({
    id: "c",
    object: "chat.completion.chunk",
    model: "small",
    choices: [{ index: 0, delta: { content } }],
  });
}

export const finish = event({ model: "small", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
export const usage = event({
  model: "small",
  choices: [],
  usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8, details: { cached: 0 } },
});
export const done = "data: [DONE]\n\n";

/** Sends these bytes as they are, each in a packet of its own, and ends. */
export const stream = streamWith({});

/** The same, with headers beside the content type. */
export function streamWith(headers: Readonly<Record<string, string>>) {
  return (...packets: readonly (string | Uint8Array)[]): Answer =>
    async (response) => {
      response.socket?.setNoDelay(true);
      response.writeHead(200, { "content-type": "text/event-stream", ...headers });
      for (const packet of packets) {
        response.write(packet);
        // What is written at once may arrive at once.
        await sleep(1);
      }
      response.end();
    };
}
