import type { Pool } from "undici";

/** What a reader of a streamed chat completion sees. */
export interface ChatTiming {
  /** From the request to the first piece of text, in milliseconds. */
  readonly firstTokenMs: number;
  readonly totalMs: number;
  /** As the server counted them. */
  readonly tokens: number;
  readonly text: string;
}

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string | null } }[];
  readonly usage?: { readonly completion_tokens: number } | null;
}

/** Asks any OpenAI-compatible server for one streamed answer. @throws Error when it is not a whole one. */
export async function streamChat(
  pool: Pool,
  token: string,
  request: Readonly<Record<string, unknown>>,
): Promise<ChatTiming> {
  const begin = performance.now();
  const answer = await pool.request({
    method: "POST",
    path: "/v1/chat/completions",
    headers: { "content-type": "application/json", accept: "text/event-stream", authorization: `Bearer ${token}` },
    body: JSON.stringify({ ...request, stream: true, stream_options: { include_usage: true } }),
    bodyTimeout: 60_000,
  });
  if (answer.statusCode !== 200)
    throw new Error(`the chat was answered with ${String(answer.statusCode)}: ${await answer.body.text()}`);
  const decoder = new TextDecoder();
  let pending = "";
  let text = "";
  let firstAt: number | undefined;
  let tokens: number | undefined;
  let ended = false;
  for await (const bytes of answer.body) {
    pending += decoder.decode(bytes, { stream: true });
    const lines = pending.split("\n");
    pending = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("data: ")) continue;
      if (line === "data: [DONE]") {
        ended = true;
        continue;
      }
      const chunk: Chunk = JSON.parse(line.slice("data: ".length));
      const piece = chunk.choices[0]?.delta.content ?? "";
      if (piece !== "") firstAt ??= performance.now();
      text += piece;
      tokens = chunk.usage?.completion_tokens ?? tokens;
    }
  }
  if (!ended || firstAt === undefined || tokens === undefined) throw new Error("a streamed answer is not whole");
  return { firstTokenMs: firstAt - begin, totalMs: performance.now() - begin, tokens, text };
}
