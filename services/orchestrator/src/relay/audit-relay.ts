import { randomUUID } from "node:crypto";
import type { Logger } from "@soma/kit/logger";
import type { Ledger } from "../ledger/ledger.ts";
import type { RelayLease } from "../ledger/relay-store.ts";
import { KafkaError, type KafkaForwarder } from "./kafka-forwarder.ts";
import { batchLimits, buryRecords, nextBatch, type RelayBatch } from "./relay-batch.ts";
import type { RelayMetrics } from "./relay-metrics.ts";
import { WakeUp } from "./wake-up.ts";

/** A process that dies is followed by another when its lease runs out; each wakes up as often as it is renewed. */
const lease = { ms: 10_000, renewEveryMs: 3_000 } as const;
/** Other processes append, too; ours wakes the relay at once. */
const pollMs = 500;
/** After a first event, for those that come with it: a commit of the cursor for each event would be one too many. */
const gatherMs = 20;
/** What a batch under way gets when the service ends; it is sent again by the next holder otherwise. */
const stopWithinMs = 3_000;
const retry = { firstMs: 250, longestMs: 2_000, yieldAfter: 5 } as const;

interface RelayOptions {
  readonly ledger: Ledger;
  readonly forwarder: KafkaForwarder;
  readonly metrics: RelayMetrics;
  readonly log: Logger;
  /** Of the brokers, for people. */
  readonly address: string;
  /** For tests; the constants above otherwise. */
  readonly lease?: { readonly ms: number; readonly renewEveryMs: number };
}

/**
 * Delivers the ledger to the audit topic, in the order of its positions, one batch after the other, from the cursor on.
 *
 * Why the first occurrences of events in the topic are in order and without a gap, whoever died or slept when: a holder
 * of the lease starts at the cursor that it got together with its token, sends batches that follow each other, and
 * sends the next one only after the brokers have the last one *and* the cursor was moved under its own token. So what
 * one holder writes is, from the cursor of its beginning, a run without a gap, in order; a batch that is sent again
 * repeats a part of the run's end. All before that cursor was in the topic when it was read. Of two holders that
 * overlap, the older one gets no cursor moved any more, so that it writes at most the batch that it was at: one that
 * begins where the new one's run begins, or before. In whatever order the brokers take the two, at each moment the topic
 * holds an unbroken beginning of the ledger, and an event that is new extends it by exactly one. The events of a
 * session have one key, hence one partition, in which brokers keep the order of writing. What readers see twice has
 * the same id and the same bytes.
 */
export class AuditRelay {
  readonly #options: RelayOptions;
  readonly #holder = randomUUID();
  readonly #wakeUp = new WakeUp();
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** While deliveries fail: since when, to say so once. */
  #failingSince: number | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  start(): void {
    const leave = this.#options.ledger.onAppend(() => this.#wakeUp.now());
    this.#running = this.#run().finally(leave);
  }

  /** Resolves when nothing is under way any more and the lease is given back; a batch that hangs is cut off. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wakeUp.now();
    const impatient = setTimeout(() => void this.#options.forwarder.close(), stopWithinMs);
    await this.#running;
    clearTimeout(impatient);
  }

  async #run(): Promise<void> {
    const { ledger, log } = this.#options;
    const { ms: leaseMs, renewEveryMs } = this.#options.lease ?? lease;
    while (!this.#stop.signal.aborted) {
      try {
        const held = await ledger.relay.acquire({ holder: this.#holder, leaseMs });
        // Somebody else delivers; appends are none of ours then.
        if (held === undefined) await this.#pause(renewEveryMs);
        else await this.#deliverUnder(held);
        // The way from here to the brokers may be what is broken: somebody else may have another, and goes first now.
        if (this.#failingSince !== undefined) await this.#pause(retry.longestMs);
      } catch (error) {
        // The ledger is away: the dependency watch says so, too.
        log.warn({ err: error }, "the relay to Kafka cannot use the ledger; trying again");
        await this.#pause(renewEveryMs / 3);
      }
    }
  }

  async #deliverUnder(held: RelayLease): Promise<void> {
    const { ledger, log, metrics } = this.#options;
    const { ms: leaseMs, renewEveryMs } = this.#options.lease ?? lease;
    const mine = { holder: this.#holder, token: held.token };
    const lost = new AbortController();
    const renew = async (): Promise<void> => {
      const renewed = await ledger.relay.acquire({ holder: this.#holder, leaseMs });
      if (renewed?.token !== held.token) lost.abort();
    };
    let renewing: Promise<void> = Promise.resolve();
    const timer = setInterval(() => {
      // A renewal that fails is none: the cursor's own commit says whether the lease is still ours.
      renewing = renewing.then(renew).catch(() => undefined);
    }, renewEveryMs);
    metrics.holdsLease.set(1);
    // During an outage the lease goes round; what is to be said of that was said when it began.
    if (this.#failingSince === undefined) log.info({ seq: held.cursor }, "this process delivers the ledger to Kafka");
    try {
      await this.#deliver(held, AbortSignal.any([lost.signal, this.#stop.signal]));
    } finally {
      clearInterval(timer);
      metrics.holdsLease.set(0);
      // A renewal that is under way would take back what is given away now.
      await renewing;
      await ledger.relay.release(mine).catch(() => undefined);
    }
    const reason = lost.signal.aborted ? "lease lost" : "given back";
    if (this.#failingSince === undefined) log.info({ reason }, "this process no longer delivers to Kafka");
  }

  /** Returns when the lease is lost, when it is another's turn, or at the stop. */
  async #deliver(held: RelayLease, over: AbortSignal): Promise<void> {
    const { ledger } = this.#options;
    const mine = { holder: this.#holder, token: held.token };
    let cursor = held.cursor;
    let failures = 0;
    let maxRecords: number = batchLimits.records;
    while (!over.aborted) {
      const events = await ledger.tail({ afterPosition: cursor, limit: batchLimits.records });
      if (events.length === 0) {
        await this.#wakeUp.wait(pollMs);
        await this.#pause(over.aborted ? 0 : gatherMs);
        continue;
      }
      const batch = nextBatch(events, maxRecords);
      const outcome = await this.#send(batch);
      if (outcome === "failed") {
        failures += 1;
        if (failures >= retry.yieldAfter) return;
        await this.#pause(Math.min(retry.longestMs, retry.firstMs * 2 ** (failures - 1)));
      } else if (outcome === "too large" && batch.records.length > 1) {
        // The brokers take less at once than we thought.
        maxRecords = Math.ceil(batch.records.length / 2);
      } else {
        const done = outcome === "sent" ? batch : buryRecords(batch);
        if (!(await ledger.relay.advance({ ...mine, to: done.to, deadLetters: done.deadLetters }))) return;
        this.#count(done);
        cursor = done.to;
        failures = 0;
        maxRecords = Math.min(batchLimits.records, maxRecords * 2);
      }
    }
  }

  async #send({ records }: RelayBatch): Promise<"sent" | "failed" | "too large"> {
    const { forwarder, metrics, log, address } = this.#options;
    try {
      if (records.length > 0) await forwarder.send(records);
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      if (error.tooLarge) return "too large";
      metrics.failures.inc({ reason: error.reason });
      const line = { dependency: "kafka", address, err: error, reason: error.reason };
      // An acknowledgement that cannot be true is an alarm each time.
      if (error.reason === "offsets") log.error(line, "Kafka acknowledged a batch in places that it had given before");
      else if (this.#failingSince === undefined) log.error(line, `events cannot be delivered to kafka at ${address}`);
      this.#failingSince ??= Date.now();
      return "failed";
    }
    if (this.#failingSince !== undefined) {
      log.info(
        { dependency: "kafka", address, outage_ms: Date.now() - this.#failingSince },
        "events are delivered again",
      );
      this.#failingSince = undefined;
    }
    return "sent";
  }

  #count({ records, deadLetters }: RelayBatch): void {
    const { metrics, log } = this.#options;
    metrics.delivered.inc(records.length);
    metrics.deadLetters.inc(deadLetters.length);
    for (const { position, bytes } of deadLetters)
      log.error({ seq: position, count: bytes }, "an event is too large for Kafka and stays in the ledger alone");
  }

  /** Shorter when the relay is stopped. */
  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const { signal } = this.#stop;
      if (signal.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener("abort", done, { once: true });
    });
  }
}
