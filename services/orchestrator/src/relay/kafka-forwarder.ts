import { Worker } from "node:worker_threads";
import type {
  ForwarderAnswer,
  ForwarderData,
  ForwarderFailure,
  ForwarderRequest,
  TopicRecord,
} from "./forwarder-messages.ts";
import { OffsetWatch } from "./offset-watch.ts";

/** Why a batch is not in the topic, or not known to be. */
const failureReasons = ["refused", "thread", "deadline", "offsets"] as const;
export type FailureReason = (typeof failureReasons)[number];

/** A batch that counts as not sent, or brokers that did not answer. `message` is for the log. */
export class KafkaError extends Error {
  override readonly name = "KafkaError";
  readonly reason: FailureReason;
  readonly code: string;
  readonly tooLarge: boolean;

  constructor(reason: FailureReason, failure: ForwarderFailure) {
    super(failure.message);
    this.reason = reason;
    this.code = failure.code;
    this.tooLarge = failure.tooLarge;
  }
}

/** Longer than the client's own retries take; whoever has not answered then hangs. */
const sendWithinMs = 30_000;

interface Waiting {
  resolve(answer: ForwarderAnswer): void;
  reject(error: KafkaError): void;
}

/**
 * The Kafka client in a thread of its own, started when it is needed and again after it died. What was under way then
 * is rejected: whether it was written is not known, and the same batch is to be sent again.
 */
export class KafkaForwarder {
  readonly #data: ForwarderData;
  readonly #offsets = new OffsetWatch();
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | undefined;
  #sending = false;
  #lastId = 0;

  constructor(data: ForwarderData) {
    this.#data = data;
  }

  /**
   * Resolves when the brokers have the batch; one at a time.
   *
   * @throws KafkaError when the batch counts as not sent
   * @throws TypeError while another batch is under way: concurrent sends lose acknowledged records
   */
  async send(records: readonly TopicRecord[]): Promise<void> {
    if (this.#sending) throw new TypeError("a batch is under way");
    this.#sending = true;
    try {
      const id = (this.#lastId += 1);
      const answer = await this.#ask({ kind: "send", id, records }, AbortSignal.timeout(sendWithinMs), true);
      const written = answer.kind === "done" ? answer.written : [];
      if (this.#offsets.accept(written)) return;
      this.#offsets.forget();
      await this.#end();
      const message = `the brokers gave offsets that do not rise: ${describeOffsets(written)}`;
      throw new KafkaError("offsets", { code: "OFFSETS_DO_NOT_RISE", message, tooLarge: false });
    } finally {
      this.#sending = false;
    }
  }

  /** Resolves when a broker answers. @throws KafkaError, also when the signal fires first. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#ask({ kind: "check", id: (this.#lastId += 1) }, signal, false);
  }

  /** Ends the thread; what is under way is rejected. */
  async close(): Promise<void> {
    await this.#end();
  }

  #ask(request: ForwarderRequest, deadline: AbortSignal, endsThread: boolean): Promise<ForwarderAnswer> {
    const thread = (this.#thread ??= this.#start());
    return new Promise<ForwarderAnswer>((resolve, reject) => {
      const forget = (): void => {
        deadline.removeEventListener("abort", late);
        this.#waiting.delete(request.id);
      };
      const late = (): void => {
        forget();
        const failure = { code: "NO_ANSWER", message: "no answer from the brokers in time", tooLarge: false };
        reject(new KafkaError("deadline", failure));
        // Only with its thread is a batch that hangs surely over.
        if (endsThread) void this.#end();
      };
      if (deadline.aborted) return late();
      deadline.addEventListener("abort", late, { once: true });
      this.#waiting.set(request.id, {
        resolve: (answer) => {
          forget();
          if (answer.kind === "done") resolve(answer);
          else reject(new KafkaError("refused", answer.failure));
        },
        reject: (error) => {
          forget();
          reject(error);
        },
      });
      thread.postMessage(request, []);
    });
  }

  #start(): Worker {
    const thread = new Worker(new URL("./forwarder-thread.ts", import.meta.url), {
      name: "kafka",
      workerData: this.#data,
      // Nothing of the process's environment: the client must not find settings that we did not read.
      env: {},
      execArgv: [],
    });
    thread.on("message", (answer: ForwarderAnswer) => this.#waiting.get(answer.id)?.resolve(answer));
    thread.on("error", (error) => {
      this.#lost(thread, error instanceof Error ? error.message : String(error));
    });
    thread.on("exit", () => {
      this.#lost(thread, "the thread of the Kafka client ended");
    });
    return thread;
  }

  #lost(thread: Worker, message: string): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    const error = new KafkaError("thread", { code: "CLIENT_CRASHED", message, tooLarge: false });
    for (const waiting of this.#waiting.values()) waiting.reject(error);
  }

  async #end(): Promise<void> {
    const thread = this.#thread;
    if (thread === undefined) return;
    this.#lost(thread, "the thread of the Kafka client was ended");
    await thread.terminate();
  }
}

function describeOffsets(written: readonly { partition: number; offset: bigint }[]): string {
  return written.map(({ partition, offset }) => `${String(partition)}:${String(offset)}`).join(" ") || "none";
}
