/**
 * Sends requests over 50 connections, each as soon as the last was answered, until standard input ends; then says how
 * often each status came. A process of its own, so that whoever measures beside it does not measure this.
 */
import { Agent, request } from "undici";

const [url = "", token = ""] = process.argv.slice(2);
const dispatcher = new Agent({ connections: 50, pipelining: 1 });
const statuses: Record<number, number> = {};
const stop = new AbortController();
process.stdin
  .once("end", () => {
    stop.abort();
  })
  .resume();

async function loop(): Promise<void> {
  while (!stop.signal.aborted) {
    const answer = await request(url, { dispatcher, headers: { authorization: `Bearer ${token}` } });
    await answer.body.dump();
    statuses[answer.statusCode] = (statuses[answer.statusCode] ?? 0) + 1;
  }
}

await Promise.all(Array.from({ length: 50 }, loop));
await dispatcher.close();
process.stdout.write(JSON.stringify(statuses));
