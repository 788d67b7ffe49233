const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],]/g;

/**
 * True when an object within a JSON text has a name twice; `JSON.parse` keeps the last one and says nothing. The text
 * must be valid JSON.
 */
export function hasDoubledMember(text: string): boolean {
  const open: { readonly names: Set<string>; readonly isObject: boolean; nameIsNext: boolean }[] = [];
  for (const [token] of text.matchAll(tokens)) {
    const place = open.at(-1);
    if (token === "{" || token === "[") {
      open.push({ names: new Set(), isObject: token === "{", nameIsNext: token === "{" });
    } else if (token === "}" || token === "]") open.pop();
    else if (place === undefined) continue;
    else if (token === ",") place.nameIsNext = place.isObject;
    else if (place.nameIsNext) {
      // Parsed, so that two spellings of one name are one name.
      const name = String(JSON.parse(token));
      if (place.names.has(name)) return true;
      place.names.add(name);
      place.nameIsNext = false;
    }
  }
  return false;
}
