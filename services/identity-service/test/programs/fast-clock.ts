/** Seconds that pass in one. */
export const speed = 240;

/** A clock that ran with ours until `since`, milliseconds since 1970, and runs ahead of it from then on. */
export function fastClock(since: string | undefined): () => number {
  const start = Number(since);
  if (!Number.isSafeInteger(start)) throw new TypeError("when does the clock begin to run fast?");
  return () => start + (Date.now() - start) * speed;
}
