import { styleText, stripVTControlCharacters } from "node:util";

type Style = "bold" | "dim" | "green" | "yellow" | "red" | "cyan";

/** Where a command writes: answers on standard output, words for people on standard error. */
export interface Terminal {
  /** Answers: text that programs may read. */
  out(text: string): void;
  /** Words for people: progress, hints, errors. */
  say(text: string): void;
  /** True when a person looks at the answers. */
  readonly isInteractive: boolean;
  /** True when a person can be asked. */
  readonly canAsk: boolean;
  /** Columns that a line may have; unbounded where nobody looks. */
  readonly width: number;
  /** Styled for the stream that it goes to; as it is where colours are not wanted. */
  style(style: Style, text: string, to?: "out" | "say"): string;
}

/** The terminal of this process. Colours only for a terminal, and not with NO_COLOR. */
export function openTerminal(): Terminal {
  const { stdout, stderr, stdin } = process;
  return {
    out: (text) => void stdout.write(text),
    say: (text) => void stderr.write(text),
    isInteractive: stdout.isTTY,
    canAsk: stdin.isTTY && stderr.isTTY,
    width: stdout.isTTY ? stdout.columns : Number.POSITIVE_INFINITY,
    style: (style, text, to = "out") => {
      const stream = to === "out" ? stdout : stderr;
      const colours = stream.isTTY && (process.env["NO_COLOR"] ?? "") === "";
      return colours ? styleText(style, text, { validateStream: false }) : text;
    },
  };
}

/** Control characters, and those that turn the direction of what follows. */
const speaksToTerminal = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** A text from elsewhere for a terminal: nothing in it may speak to the terminal. Lines and tabs stay. */
export function harmless(text: string): string {
  return stripVTControlCharacters(text).replaceAll(speaksToTerminal, (character) =>
    character === "\n" || character === "\t" ? character : "?",
  );
}
