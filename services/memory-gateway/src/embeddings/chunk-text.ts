/**
 * The most of one passage, in code points once composed letters are taken apart (NFD): the model reads at most 512
 * tokens, and makes no more than one of a code point, so that no text in any script is ever too long for it.
 */
export const passageSize = 450;

/**
 * Cuts a text between words into passages that the embedding model can read whole. A word that is longer than a passage
 * is cut; every letter of the text is in some passage, white space between words may be lost.
 */
export function chunkText(text: string): string[] {
  const passages: string[] = [];
  let words: string[] = [];
  let size = 0;
  for (const word of text.split(/\s+/u).flatMap((each) => piecesOf(each))) {
    const more = sizeOf(word) + 1;
    if (size + more > passageSize + 1 && words.length > 0) {
      passages.push(words.join(" "));
      words = [];
      size = 0;
    }
    words.push(word);
    size += more;
  }
  if (words.length > 0) passages.push(words.join(" "));
  return passages;
}

function piecesOf(word: string): string[] {
  if (word === "") return [];
  if (sizeOf(word) <= passageSize) return [word];
  const pieces: string[] = [];
  let piece = "";
  let size = 0;
  for (const letter of word) {
    const more = sizeOf(letter);
    if (size + more > passageSize) {
      pieces.push(piece);
      piece = "";
      size = 0;
    }
    piece += letter;
    size += more;
  }
  return [...pieces, piece];
}

function sizeOf(text: string): number {
  return Array.from(text.normalize("NFD")).length;
}
