import { LineCounter, isMap, isScalar, isSeq, parseDocument, visit, type Document, type ParsedNode } from "yaml";
import { refuse, type Checked } from "./pack-problem.ts";

/** Parsed YAML that still knows on which line each value stands. */
export interface YamlSource {
  readonly value: unknown;
  /** Line of the value at a path or, when there is none, of the nearest one around it. */
  lineOf(path: readonly string[]): number;
  /** Line of a place inside a text, e.g. of an error in an embedded policy. */
  lineInText(path: readonly string[], offset: number): number;
}

/** Parses one YAML 1.2 document. Duplicate keys, unknown tags, aliases and further documents are refused. */
export function readYaml(text: string): Checked<YamlSource> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: "1.2" });
  const startOf = (offset: number): number => lines.linePos(offset).line;
  const problems = [...document.errors, ...document.warnings].map(({ message, pos }) => ({
    line: startOf(pos[0]),
    reason: message,
  }));
  // No aliases: they let a small file stand for a very large one, and a reader of the file loses sight of the value.
  visit(document, {
    Alias: (_key, alias) => {
      problems.push({
        line: startOf(alias.range?.[0] ?? 0),
        reason: "aliases are not accepted; write the value again",
      });
    },
  });
  if (problems.length > 0) return refuse(problems);
  const value: unknown = document.toJS({ maxAliasCount: 0 });
  return {
    ok: true,
    value: {
      value,
      lineOf: (path) => startOf(find(document, path).offset),
      lineInText(path, offset) {
        const { offset: start, node } = find(document, path);
        // Only in a literal block do the lines of the text stand one by one in the file.
        if (!isScalar(node) || node.type !== "BLOCK_LITERAL" || typeof node.value !== "string") return startOf(start);
        return startOf(node.range[0]) + 1 + node.value.slice(0, offset).split("\n").length - 1;
      },
    },
  };
}

interface Place {
  readonly offset: number;
  readonly node: ParsedNode | null;
}

function find(document: Document.Parsed, path: readonly string[]): Place {
  let place: Place = { offset: document.contents?.range[0] ?? 0, node: document.contents };
  for (const segment of path) {
    const next = child(place.node, segment);
    if (next === undefined) return place;
    place = next;
  }
  return place;
}

function child(node: ParsedNode | null, segment: string): Place | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === segment);
    return pair === undefined ? undefined : { offset: pair.key.range[0], node: pair.value };
  }
  if (isSeq(node)) {
    const item = node.items[Number(segment)];
    return item === undefined ? undefined : { offset: item.range[0], node: item };
  }
  return undefined;
}
