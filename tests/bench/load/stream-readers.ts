import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Every server-sent event of a ledger has an id, and nothing else in a stream has one. */
const eventMark = Buffer.from("\nid: ");

/** Many readers of event streams, each on a socket of its own; they count events and look no further. */
export class StreamReaders {
  readonly #readers: Reader[] = [];

  /** @throws Error when one of them is not let in. */
  static async open(
    urls: string | ((index: number) => string),
    count: number,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<StreamReaders> {
    const all = new StreamReaders();
    const urlOf = typeof urls === "string" ? () => urls : urls;
    // In portions: a thousand connections at once would overflow the queue of those that wait to be accepted.
    while (all.#readers.length < count) {
      const begin = all.#readers.length;
      const portion = Array.from({ length: Math.min(100, count - begin) }, () => new Reader());
      all.#readers.push(...portion);
      await Promise.all(portion.map((reader, index) => reader.open(new URL(urlOf(begin + index)), headers)));
    }
    return all;
  }

  /** When the newest chunk came to any of them, by `performance.now()`. */
  get lastChunkAt(): number {
    return Math.max(...this.#readers.map(({ lastChunkAt }) => lastChunkAt));
  }

  /** Resolves when each of them has got as many. @throws Error when that takes longer, or one of them broke. */
  async untilEachHas(events: number, withinMs: number): Promise<void> {
    const giveUpAt = performance.now() + withinMs;
    while (!this.#readers.every((reader) => reader.events >= events)) {
      const broken = this.#readers.find(({ failure }) => failure !== undefined);
      if (broken?.failure !== undefined) throw broken.failure;
      if (performance.now() > giveUpAt) throw new Error(`not each stream has ${String(events)} events`);
      await sleep(5);
    }
  }

  /** Readers that have another number of events than this. */
  countOther(events: number): number {
    return this.#readers.filter((reader) => reader.events !== events).length;
  }

  close(): void {
    for (const reader of this.#readers) reader.close();
  }
}

/** One for all sockets: a callback has looked at what is in it before the next socket is read. */
const shared = Buffer.alloc(262_144);

class Reader {
  events = 0;
  lastChunkAt = 0;
  failure: Error | undefined;
  #socket: Socket | undefined;
  #head = "";
  /** The newest bytes, as many as a mark can have lost to the chunk before. */
  #rest: Buffer = Buffer.alloc(0);

  /** @throws Error unless the stream is answered with 200. */
  async open(url: URL, headers: Readonly<Record<string, string>>): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      const onread = {
        buffer: shared,
        callback: (length: number): boolean => {
          this.#count(shared.subarray(0, length));
          resolve();
          return true;
        },
      };
      this.#socket = connect({ host: url.hostname, port: Number(url.port), onread });
      this.#socket.on("error", (error) => {
        this.failure = error;
        resolve();
      });
      this.#socket.on("end", () => (this.failure ??= new Error("a stream ended")));
    });
    const lines = Object.entries({ host: url.host, accept: "text/event-stream", ...headers });
    this.#socket?.write(
      `GET ${url.pathname}${url.search} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`,
    );
    await answered;
    if (this.failure !== undefined) throw this.failure;
    if (!this.#head.startsWith("HTTP/1.1 200 ")) throw new Error(`a stream was answered with ${this.#head}`);
  }

  #count(chunk: Buffer): void {
    this.lastChunkAt = performance.now();
    if (this.#head === "") this.#head = chunk.toString("latin1", 0, 300);
    const seam = Buffer.concat([this.#rest, chunk.subarray(0, eventMark.length - 1)]);
    if (seam.includes(eventMark)) this.events += 1;
    for (let at = chunk.indexOf(eventMark); at !== -1; at = chunk.indexOf(eventMark, at + eventMark.length))
      this.events += 1;
    this.#rest = Buffer.from((chunk.length < eventMark.length ? seam : chunk).subarray(1 - eventMark.length));
  }

  close(): void {
    this.#socket?.destroy();
  }
}
