/** One server-sent event. */
export interface StreamEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

/** Reads a stream of server-sent events until it ends or the reader stops. */
export async function* readStream(url: string, headers: Record<string, string> = {}): AsyncGenerator<StreamEvent> {
  const stop = new AbortController();
  const answer = await fetch(url, { headers: { accept: "text/event-stream", ...headers }, signal: stop.signal });
  if (answer.status !== 200 || !answer.body) throw new Error(`the stream was answered with ${String(answer.status)}`);
  let pending = "";
  try {
    for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
      pending += text;
      const blocks = pending.split("\n\n");
      pending = blocks.pop() ?? "";
      for (const block of blocks) {
        const fields = new Map(
          block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
        );
        const event = fields.get("event");
        if (event !== undefined) yield { id: fields.get("id"), event, data: fields.get("data") ?? "" };
      }
    }
  } finally {
    stop.abort();
  }
}
