/** A JWT with another signature: its first character is always another one, where a fixed ending may be the true one. */
export function withOtherSignature(token: string): string {
  const begin = token.lastIndexOf(".") + 1;
  return token.slice(0, begin) + (token[begin] === "A" ? "B" : "A") + token.slice(begin + 1);
}
