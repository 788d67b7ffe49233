/**
 * Program of a worker thread: the Kafka client and nothing else. The client throws where nobody can catch it (a broker
 * that drops a TLS connection, a password that is wrong): here that ends a thread, which is started again, and not the
 * service.
 */
import { parentPort, workerData } from "node:worker_threads";
import { findErrorBy } from "@platformatic/kafka";
import type { ForwarderAnswer, ForwarderData, ForwarderFailure, ForwarderRequest } from "./forwarder-messages.ts";
import { TopicProducer } from "./topic-producer.ts";

const port = parentPort;
if (port === null) throw new TypeError("this is the program of a worker thread");
const data: ForwarderData = workerData;
const topic = new TopicProducer(data);

port.on("message", (request: ForwarderRequest) => {
  void answer(request).then((message) => port.postMessage(message));
});

async function answer(request: ForwarderRequest): Promise<ForwarderAnswer> {
  const { id } = request;
  try {
    if (request.kind === "send") return { kind: "done", id, written: await topic.send(request.records) };
    await topic.check();
    return { kind: "done", id, written: [] };
  } catch (error) {
    return { kind: "failed", id, failure: describe(error) };
  }
}

function describe(error: unknown): ForwarderFailure {
  if (!(error instanceof Error)) return { code: "UNKNOWN", message: typeof error, tooLarge: false };
  const code: unknown = Reflect.get(error, "code");
  return {
    code: typeof code === "string" ? code : error.name,
    message: innermost(error),
    tooLarge: ["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"].some((id) => findErrorBy(error, "apiId", id) !== null),
  };
}

/** The client wraps errors in errors that say less: "failed 6 times" around "connection refused". */
function innermost(error: Error, depth = 0): string {
  const inner: unknown = error instanceof AggregateError ? error.errors.at(-1) : error.cause;
  const text = error.message;
  if (!(inner instanceof Error) || depth > 5) return text;
  return error instanceof AggregateError ? innermost(inner, depth + 1) : `${text} (${innermost(inner, depth + 1)})`;
}
