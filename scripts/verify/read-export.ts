import { closeSync, openSync, readSync } from "node:fs";
import { count, digest, isObject, text, type Json } from "./format.ts";

/** What retention has cut from the beginning. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  readonly hash: string;
}

export interface Export {
  readonly events: Iterable<Json>;
  readonly contents: Json;
  readonly more: boolean;
  readonly gap: Gap | undefined;
}

/** Lines of events are read one by one, however many there are; a document as a whole. */
export function readExport(lines: Iterable<string>): Export {
  const iterator = lines[Symbol.iterator]();
  const next = (): string | undefined => {
    for (;;) {
      const { done, value } = iterator.next();
      if (done === true) return undefined;
      if (!/^[ \t\r]*$/.test(value)) return value;
    }
  };
  const first = next();
  if (first === undefined) throw new Error("the file holds no events");
  const line = parseLine(first);
  if (line !== undefined) {
    const gap = line["specversion"] === undefined ? readGap(line["gap"]) : undefined;
    return { events: eventLines(gap === undefined ? [line] : [], next), contents: {}, more: false, gap };
  }
  const read = [first];
  for (let more = next(); more !== undefined; more = next()) read.push(more);
  const parsed: unknown = JSON.parse(read.join("\n"));
  const single = isObject(parsed) ? parsed : undefined;
  const { events: list = single === undefined ? parsed : [single], contents = {}, next_after, gap } = single ?? {};
  if (!Array.isArray(list)) throw new Error("the file holds no events");
  if (!isObject(contents)) throw new Error("contents is not an object");
  return { events: list.map(asEvent), contents, more: next_after !== undefined, gap: readGap(gap) };
}

function readGap(gap: unknown): Gap | undefined {
  if (gap === undefined) return undefined;
  if (!isObject(gap)) throw new Error("gap is not an object");
  const [from = 0, to = 0, hash] = [count(gap, "from"), count(gap, "to"), text(gap, "hash")];
  if (from < 1 || to < from || !digest.test(hash)) throw new Error("gap does not say from, to and hash");
  return { from, to, hash };
}

/** A line that is an object by itself, an event or a gap. */
function parseLine(line: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) && value["events"] === undefined ? value : undefined;
  } catch {
    return undefined;
  }
}

function* eventLines(first: readonly Json[], next: () => string | undefined): Generator<Json> {
  yield* first;
  for (let line = next(); line !== undefined; line = next()) yield asEvent(JSON.parse(line));
}

function asEvent(value: unknown): Json {
  if (!isObject(value)) throw new Error("an event is not a JSON object");
  return value;
}

/** The lines of a file, without its ever being in memory as a whole. Throws for bytes that are no UTF-8. */
export function* readLines(file: string | 0): Generator<string> {
  const descriptor = file === 0 ? 0 : openSync(file, "r");
  // A byte order mark stays, and is no JSON.
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const chunk = Buffer.alloc(1 << 20);
  let rest: Buffer = Buffer.alloc(0);
  try {
    for (let size = readSync(descriptor, chunk); size > 0; size = readSync(descriptor, chunk)) {
      const bytes = Buffer.concat([rest, chunk.subarray(0, size)]);
      let begin = 0;
      for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, begin)) {
        yield decoder.decode(bytes.subarray(begin, end));
        begin = end + 1;
      }
      rest = bytes.subarray(begin);
    }
    yield decoder.decode(rest);
  } finally {
    if (file !== 0) closeSync(descriptor);
  }
}
