/** Program: starts Temporal under the given stack name, prints the state as a JSON line, and stays until it is killed. */
import { startStack } from "../../src/start-stack.ts";

const name = process.argv[2];
if (name === undefined) throw new TypeError("usage: hold-temporal.ts NAME");
const stack = await startStack({ name, parts: ["temporal"] });
process.stdout.write(`${JSON.stringify(stack.state)}\n`);
setInterval(() => undefined, 60_000);
