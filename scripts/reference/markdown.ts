/** The house rule, as every document of the reference opens with it. */
const houseRule =
  "Real only: real servers, real clients, real data; no mock, no bypass, no invented value, and what is claimed is measured.";

/** A page of the reference. `source` says where its content is kept, for whoever wants to change it. */
export function page(title: string, source: string, ...blocks: readonly string[]): string {
  const generated = `Generated from ${source} by \`node scripts/generate-reference.ts\`; change it there, not here.`;
  return `${[`# ${title}`, houseRule, generated, ...blocks].join("\n\n")}\n`;
}

/** A table whose cells may hold anything. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(header), `|${header.map(() => "---").join("|")}|`, ...rows.map(row)].join("\n");
}

function row(cells: readonly string[]): string {
  return `| ${cells.map(cell).join(" | ")} |`;
}

/** Outside of code an angle bracket would begin an HTML element. */
function cell(text: string): string {
  const parts = text
    .replaceAll("\n", " ")
    .replaceAll("|", String.raw`\|`)
    .split("`");
  return parts.map((part, index) => (index % 2 === 0 ? part.replaceAll("<", "&lt;") : part)).join("`");
}

/** Text as code; nothing for nothing. */
export function code(text: string): string {
  return text === "" ? "" : `\`${text}\``;
}

/** The rows of the first table of a document whose first column has this name, cells as they are written. */
export function readTable(document: string, firstColumn: string): string[][] {
  const lines = document.split("\n");
  const header = lines.findIndex((line) => splitRow(line)[0] === firstColumn);
  if (header === -1) throw new Error(`no table begins with the column "${firstColumn}"`);
  const rows: string[][] = [];
  for (const line of lines.slice(header + 2)) {
    if (!line.startsWith("|")) break;
    rows.push(splitRow(line));
  }
  return rows;
}

function splitRow(line: string): string[] {
  if (!line.startsWith("|")) return [];
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((text) => text.trim());
}
