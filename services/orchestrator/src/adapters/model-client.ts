import type { ErrorCode } from "@soma/contracts/error-codes";
import { ChatCompletionChunk } from "@soma/contracts/model";
import { OpenaiModel } from "@soma/contracts/openai";
import { Usage, type ChatMessage, type Sampling } from "@soma/contracts/session";
import { DomainError } from "@soma/kit/domain-error";
import { Pool } from "undici";
import { Type } from "typebox";
import { Value } from "typebox/value";

/** Until the first byte of an answer; loading and queueing included. */
const firstByteMs = 30_000;
/** Between two pieces of an answer that streams. */
const idleMs = 20_000;
const maxBytes = 4_194_304;
/** For the list of models, which a caller waits for. */
const listMs = 1_200;
const maxModels = 1_000;

export interface CompletionRequest {
  readonly messages: readonly ChatMessage[];
  readonly sampling?: Sampling;
  readonly model?: string;
  /** What policy allows at most; the sampling can only ask for less. */
  readonly maxOutputTokens?: number;
  /** The step's token: for this audience, this step and minutes. */
  readonly token: string;
  readonly effectKey: string;
  readonly signal: AbortSignal;
  /** Called and awaited when the model is about to speak; `replayed` as in {@link Completion}. */
  readonly onBegin?: (answer: { readonly replayed: boolean }) => Promise<void>;
  /** Called with each piece of text as it comes. */
  readonly onText: (text: string) => void;
}

export interface Completion {
  readonly text: string;
  readonly model: string;
  readonly finishReason: string;
  readonly usage: Usage;
  /** The target did this for another attempt with the same effect key, and told its outcome: nothing was generated here. */
  readonly replayed: boolean;
}

export interface ModelClient {
  /**
   * One streamed chat completion. When the signal fires the connection is closed, which ends the generation.
   * @throws DomainError MODEL_UNAVAILABLE, MODEL_BAD_RESPONSE, MODEL_TOKEN_REFUSED, MODEL_NOT_FOUND, MODEL_PROMPT_TOO_LONG or
   * MODEL_REJECTED.
   */
  complete(request: CompletionRequest): Promise<Completion>;
  /**
   * The models that the service names, as it names them.
   * @throws DomainError MODEL_UNAVAILABLE, MODEL_BAD_RESPONSE or MODEL_TOKEN_REFUSED.
   */
  listModels(token: string): Promise<readonly OpenaiModel[]>;
  checkHealth(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** `base` is what stands before `/v1/chat/completions` of any OpenAI-compatible server. */
export function createModelClient(base: URL): ModelClient {
  const pool = new Pool(base.origin, {
    connections: 128,
    connectTimeout: 2_000,
    headersTimeout: firstByteMs,
    bodyTimeout: idleMs,
    keepAliveTimeout: 4_000,
  });
  const prefix = base.pathname.replace(/\/$/, "");
  return {
    async complete(request) {
      const limits = [request.maxOutputTokens, request.sampling?.max_tokens].filter((limit) => limit !== undefined);
      const body = {
        ...(request.model !== undefined && { model: request.model }),
        ...request.sampling,
        ...(limits.length > 0 && { max_tokens: Math.min(...limits) }),
        messages: request.messages,
        stream: true,
        stream_options: { include_usage: true },
      };
      const headers = {
        accept: "text/event-stream",
        "content-type": "application/json",
        authorization: `Bearer ${request.token}`,
        "idempotency-key": request.effectKey,
      };
      try {
        const answer = await pool.request({
          method: "POST",
          path: `${prefix}/v1/chat/completions`,
          headers,
          body: JSON.stringify(body),
          signal: request.signal,
        });
        if (answer.statusCode !== 200) throw await readRefusal(answer.statusCode, answer.headers, answer.body);
        const replayed = isReplay(answer.headers);
        await request.onBegin?.({ replayed });
        const completion = await readCompletion(answer.body, request.onText);
        return { ...completion, replayed };
      } catch (error) {
        request.signal.throwIfAborted();
        if (error instanceof DomainError) throw error;
        throw unavailable(error);
      }
    },
    async listModels(token) {
      const signal = AbortSignal.timeout(listMs);
      try {
        const answer = await pool.request({
          method: "GET",
          path: `${prefix}/v1/models`,
          headers: { accept: "application/json", authorization: `Bearer ${token}` },
          signal,
        });
        if (answer.statusCode !== 200) throw await readRefusal(answer.statusCode, answer.headers, answer.body);
        return await readModels(answer.body);
      } catch (error) {
        throw error instanceof DomainError ? error : unavailable(error);
      }
    },
    async checkHealth(signal) {
      const answer = await pool.request({ method: "GET", path: `${prefix}/health`, signal });
      await answer.body.dump();
      // A foreign server may have no /health: any answer but a server's error shows that it is there.
      if (answer.statusCode >= 500) throw new Error(`/health answered ${String(answer.statusCode)}`);
    },
    close: () => pool.destroy(),
  };
}

/** Recorded before, or under way for another attempt when this one came: the model service says which. */
function isReplay(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  return headers["idempotency-replayed"] === "true" || headers["idempotency-joined"] === "true";
}

const ListedModel = Type.Object({
  id: OpenaiModel.properties.id,
  created: Type.Optional(OpenaiModel.properties.created),
  owned_by: Type.Optional(OpenaiModel.properties.owned_by),
});
const ModelList = Type.Object({ data: Type.Array(ListedModel, { maxItems: maxModels }) });

async function readModels(body: AsyncIterable<Uint8Array>): Promise<OpenaiModel[]> {
  let text = "";
  for await (const bytes of body) {
    text += Buffer.from(bytes).toString("latin1");
    if (text.length > maxBytes) throw badResponse(`a list over ${String(maxBytes)} bytes`);
  }
  let list: unknown;
  try {
    list = JSON.parse(Buffer.from(text, "latin1").toString("utf8"));
  } catch {
    throw badResponse("a list that is not JSON");
  }
  if (!Value.Check(ModelList, list)) throw badResponse("a list of models that does not fit the contract");
  return list.data.map(({ id, created = 0, owned_by = "unknown" }) => ({ id, object: "model", created, owned_by }));
}

/** Joins the pieces of a stream of server-sent events; a stream that ends without its end mark is no answer. */
async function readCompletion(
  stream: AsyncIterable<Uint8Array>,
  onText: (text: string) => void,
): Promise<Omit<Completion, "replayed">> {
  const decoder = new TextDecoder();
  let text = "";
  let model: string | undefined;
  let finishReason: string | undefined;
  let usage: Usage | undefined;
  let pending = "";
  let size = 0;
  let ended = false;
  for await (const bytes of stream) {
    size += bytes.byteLength;
    if (size > maxBytes) throw badResponse(`an answer over ${String(maxBytes)} bytes`);
    pending += decoder.decode(bytes, { stream: true });
    const lines = pending.split(/\r?\n/);
    pending = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("data:")) continue;
      const data = line.slice("data:".length).trim();
      if (data === "[DONE]") {
        ended = true;
        continue;
      }
      const chunk = readChunk(data);
      const choice = chunk.choices[0];
      const piece = choice?.delta?.content ?? "";
      if (piece !== "") {
        text += piece;
        onText(piece);
      }
      model = chunk.model ?? model;
      finishReason = choice?.finish_reason ?? finishReason;
      if (chunk.usage) usage = pickUsage(chunk.usage);
    }
  }
  if (!ended) throw unavailable(new Error("slm cut the stream"));
  if (finishReason === undefined || usage === undefined) throw badResponse("a stream without finish reason or usage");
  // Both go into the ledger, which takes valid Unicode and is no place for long texts.
  if (![model ?? "", finishReason].every((name) => name.length <= 256 && name.isWellFormed()))
    throw badResponse("a name that is too long or no valid Unicode");
  return { text: text.toWellFormed(), model: model ?? "unnamed", finishReason, usage };
}

function readChunk(data: string): ChatCompletionChunk {
  let chunk: unknown;
  try {
    chunk = JSON.parse(data);
  } catch {
    throw badResponse("a chunk that is not JSON");
  }
  if (!Value.Check(ChatCompletionChunk, chunk)) throw badResponse("a chunk that does not fit the contract");
  return chunk;
}

function pickUsage({ prompt_tokens, completion_tokens, total_tokens }: Usage): Usage {
  const usage = { prompt_tokens, completion_tokens, total_tokens };
  if (!Value.Check(Usage, usage)) throw badResponse("counts that are none");
  return usage;
}

const maxRefusalBytes = 16_384;
const Refusal = Type.Object({ error: Type.Object({ code: Type.String() }) });

/** OpenAI's error codes that tell a caller what to change; the texts beside them stay out. */
const refusals: ReadonlyMap<string, readonly [ErrorCode, string]> = new Map([
  ["model_not_found", ["MODEL_NOT_FOUND", "The model service has no model of this name."]],
  ["idempotency_key_reused", ["MODEL_REJECTED", "The model service knows the step's effect key for another request."]],
  ["context_length_exceeded", ["MODEL_PROMPT_TOO_LONG", "The prompt is longer than the model can take."]],
]);

/** The cause of a MODEL_UNAVAILABLE that is none of an outage: the service works, and has too much to do just now. */
export class ModelBusyError extends Error {
  override readonly name = "ModelBusyError";
}

async function readRefusal(
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: AsyncIterable<Uint8Array>,
): Promise<DomainError> {
  const isBusy = (status === 503 || status === 429) && headers["retry-after"] !== undefined;
  const words = `slm answered ${String(status)}`;
  const cause = isBusy ? new ModelBusyError(words) : new Error(words);
  let text = "";
  for await (const bytes of body) {
    text += Buffer.from(bytes).toString("utf8");
    if (text.length > maxRefusalBytes) break;
  }
  if (status >= 500 || status === 408 || status === 429) return unavailable(cause);
  // Revoked or run out since it was minted: not the request is at fault, and a new decision brings a new token.
  if (status === 401)
    return new DomainError("MODEL_TOKEN_REFUSED", "The model service refused the step's token.", { cause });
  const said = codeOf(text);
  // Nothing of OpenAI's in it: a proxy that is up before its application (Ray Serve's is, after a restart) has no such path yet.
  if (status === 404 && said === "") return unavailable(cause);
  const [code, detail] = refusals.get(said) ?? ["MODEL_REJECTED", "The model service refused the request."];
  return new DomainError(code, detail, { cause });
}

function codeOf(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    return Value.Check(Refusal, body) ? body.error.code : "";
  } catch {
    return "";
  }
}

function unavailable(cause: unknown): DomainError {
  return new DomainError("MODEL_UNAVAILABLE", "The model gave no answer; it is tried again.", { cause });
}

function badResponse(what: string): DomainError {
  return new DomainError("MODEL_BAD_RESPONSE", "The model gave an answer that cannot be read.", {
    cause: new Error(`slm gave ${what}`),
  });
}
