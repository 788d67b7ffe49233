import OpenAI from "openai";

/** The client of OpenAI's own SDK: base URL and key are all that is different. */
export function connect(url: string, key: string): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: key });
}

/** A chat completion. */
export async function chat(client: OpenAI, model: string): Promise<OpenAI.ChatCompletion> {
  return client.chat.completions.create({
    model,
    messages: [
      { role: "system", content: "Answer in one short sentence." },
      { role: "user", content: "What is a ledger?" },
    ],
    max_completion_tokens: 40,
    temperature: 0,
  });
}

/** A response that goes on in the background: its stream can be left, and read on from where it was left. */
export async function readOn(client: OpenAI, model: string): Promise<string> {
  const stream = await client.responses.create({
    model,
    input: "Name three colours.",
    max_output_tokens: 40,
    background: true,
    stream: true,
  });
  let id = "";
  let cursor = 0;
  let text = "";
  for await (const event of stream) {
    cursor = event.sequence_number;
    if (event.type === "response.created") id = event.response.id;
    if (event.type === "response.output_text.delta") {
      text += event.delta;
      break;
    }
  }
  const rest = await client.responses.retrieve(id, { stream: true, starting_after: cursor });
  for await (const event of rest) if (event.type === "response.output_text.delta") text += event.delta;
  return text;
}
