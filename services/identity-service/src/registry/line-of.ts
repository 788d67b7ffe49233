import { isMap, isPair, isScalar, isSeq, type Document, type LineCounter } from "yaml";

/** The line (from 1) where the thing that a JSON pointer names stands in a YAML document, or the nearest around it. */
export function lineOf(yaml: Document.Parsed, lines: LineCounter, pointer: string): number {
  let node: unknown = yaml.contents;
  let offset = yaml.contents?.range[0] ?? 0;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === name);
      if (!isPair(pair) || !isScalar(pair.key)) break;
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(name)];
      if (!isScalar(node) && !isMap(node)) break;
      offset = node.range?.[0] ?? offset;
    } else break;
  }
  return lines.linePos(offset).line;
}
