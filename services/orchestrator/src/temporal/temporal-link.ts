import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "@temporalio/client";
import type { DataConverter } from "@temporalio/common";
import { NativeConnection } from "@temporalio/worker";
import { DomainError } from "@soma/kit/domain-error";
import { registerSearchAttributes } from "./search-attributes.ts";

const retryMs = 1_000;

interface TemporalAddress {
  readonly address: string;
  readonly namespace: string;
}

/** A connection with the client that shares it, which is what makes eager workflow starts work. */
interface Connected {
  readonly connection: NativeConnection;
  readonly client: Client;
}

/**
 * The process's one connection to Temporal. It is made in the background and made again until it works, so that a
 * service can start, say what is missing and wait; once made it reconnects by itself.
 */
export class TemporalLink {
  readonly #target: TemporalAddress;
  readonly #dataConverter: DataConverter;
  readonly #stop = new AbortController();
  readonly #connected: Promise<Connected>;
  #now: Connected | undefined;

  constructor(target: TemporalAddress, dataConverter: DataConverter) {
    this.#target = target;
    this.#dataConverter = dataConverter;
    this.#connected = this.#connect();
    // Whoever waits for it sees the rejection of a link that was closed before it ever worked.
    this.#connected.catch(() => undefined);
  }

  /** Resolves when there is a connection; rejects when the link is closed first. */
  connected(): Promise<Connected> {
    return this.#connected;
  }

  /** Runs one call with a deadline in milliseconds. @throws DomainError TEMPORAL_UNAVAILABLE while there is no connection. */
  async call<Result>(deadlineMs: number, run: (client: Client) => Promise<Result>): Promise<Result> {
    if (!this.#now) throw new DomainError("TEMPORAL_UNAVAILABLE", "Temporal cannot be reached; try again.");
    const { connection, client } = this.#now;
    return connection.withDeadline(Date.now() + deadlineMs, () => run(client));
  }

  /** Resolves when the namespace answers. */
  async check(signal: AbortSignal): Promise<void> {
    const { namespace } = this.#target;
    const answer = this.#connected.then(() =>
      this.call(900, ({ connection }) => connection.workflowService.describeNamespace({ namespace })),
    );
    await Promise.race([answer, aborted(signal)]);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    const connected = await this.#connected.catch(() => undefined);
    await connected?.connection.close();
  }

  async #connect(): Promise<Connected> {
    const { address, namespace } = this.#target;
    for (;;) {
      this.#stop.signal.throwIfAborted();
      try {
        const connection = await NativeConnection.connect({ address, grpcCompression: { codec: "none" } });
        const client = new Client({ connection, namespace, dataConverter: this.#dataConverter });
        await registerSearchAttributes(connection, namespace);
        this.#now = { connection, client };
        return this.#now;
      } catch {
        // The dependency watch says so, once; here is only the waiting.
        await sleep(retryMs, undefined, { signal: this.#stop.signal });
      }
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => {
      reject(new Error("no answer in time"));
    };
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}
