/** A prompt in the forms that content rules look at; made once per request, whatever the number of rules. */
export interface PreparedText {
  /** Compatibility forms folded, invisible characters removed, each run of white space one space. */
  readonly text: string;
  /** Lower-case words in order. */
  readonly words: readonly string[];
  /** The words joined by one space, with one at each end, so that a phrase is found at word borders only. */
  readonly phrase: string;
}

/**
 * Longest text that rules are run on, in UTF-16 units. A prompt has at most 102,400, but NFKC can make one character
 * into eighteen; what goes beyond is not cut (the end would then pass unseen) but refused.
 */
const maxPreparedLength = 131_072;

/**
 * Folds what a reader does not see, so that a zero-width space or a full-width letter does not hide a word from the
 * rules. It does not fold look-alike letters of other alphabets.
 *
 * @returns undefined when the folded text is longer than rules may be run on.
 */
export function prepareText(prompt: string): PreparedText | undefined {
  const text = prompt
    .normalize("NFKC")
    .replaceAll(/\p{Cf}/gu, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  if (text.length > maxPreparedLength) return undefined;
  const words = splitWords(text);
  return { text, words, phrase: ` ${words.join(" ")} ` };
}

/** Lower-case words: runs of letters, digits and underscores. */
export function splitWords(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}\p{M}_]+/gu) ?? [];
}
