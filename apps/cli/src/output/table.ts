import { harmless, type Terminal } from "./terminal.ts";

/** A table that fits the terminal: the widest column gives way, and what is cut off ends with "…". */
export function formatTable(
  terminal: Terminal,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const cells = [header, ...rows].map((row) => row.map((cell) => harmless(cell).replaceAll(/\s+/g, " ")));
  const widths = header.map((_name, column) => Math.max(...cells.map((row) => charactersOf(row[column] ?? "").length)));
  const gaps = 2 * (widths.length - 1);
  for (let over = sum(widths) + gaps - terminal.width; over > 0; over -= 1) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= 8) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return cells
    .map((row, index) => {
      const line = row
        .map((cell, column) => fit(cell, widths[column] ?? 0))
        .join("  ")
        .trimEnd();
      return `${index === 0 ? terminal.style("bold", line) : line}\n`;
    })
    .join("");
}

/** Names and values, one to a line; a value that is undefined has no line. */
export function formatFields(terminal: Terminal, fields: Readonly<Record<string, string | undefined>>): string {
  const present = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined);
  const width = Math.max(0, ...present.map(([name]) => name.length));
  return present
    .map(([name, value]) => `${terminal.style("dim", name.padEnd(width))}  ${harmless(value).replaceAll("\n", " ")}\n`)
    .join("");
}

function fit(cell: string, width: number): string {
  const characters = charactersOf(cell);
  if (characters.length > width) return `${characters.slice(0, width - 1).join("")}…`;
  return cell + " ".repeat(width - characters.length);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** What a reader counts as one character. */
function charactersOf(text: string): string[] {
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
}
