import { setTimeout as sleep } from "node:timers/promises";

/** Asks again until there is an answer. @throws Error naming what was waited for, after `withinMs`. */
export async function until<Result>(
  what: string,
  ask: () => Result | undefined | Promise<Result | undefined>,
  withinMs = 60_000,
): Promise<Result> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${String(withinMs)} ms: ${what}`);
    await sleep(50);
  }
}
