/** Program: `node scripts/stack/src/main.ts up|down|status|run`, the local stack without containers. */
import { parseArgs } from "node:util";
import { down } from "./commands/down.ts";
import { readStackOptions, UsageError } from "./commands/options.ts";
import { run } from "./commands/run.ts";
import { showStatus } from "./commands/status.ts";
import { supervise } from "./commands/supervise.ts";
import { up } from "./commands/up.ts";
import { describeFailure } from "./describe-failure.ts";

const usage = `usage: main.ts up|down|status|run [--name NAME] [--part PART]... [--with PART]... [--port NAME=NUMBER]... [--json]
  up      start the stack in the background and return when it is ready
  down    stop it; its data stays
  status  show each part; --json for programs; exits 0 when all is ready, 1 when not, 3 when it does not run
  run     start it in the foreground; Ctrl-C ends it
`;

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      name: { type: "string", default: "dev" },
      part: { type: "string", multiple: true, default: [] },
      with: { type: "string", multiple: true, default: [] },
      port: { type: "string", multiple: true, default: [] },
      json: { type: "boolean", default: false },
    },
  });
  const options = readStackOptions(values.name, { only: values.part, added: values.with }, values.port);
  const command = positionals[0] ?? "";
  switch (command) {
    case "up":
      return up(values.name, args.slice(args.indexOf("up") + 1));
    case "down":
      return down(values.name);
    case "status":
      return showStatus(values.name, values.json);
    case "run":
      await run(options);
      return 0;
    case "supervise":
      await supervise(options);
      return Number(process.exitCode ?? 0);
    default:
      throw new UsageError(command === "" ? "no command given" : `unknown command: ${command}`);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`\n${describeFailure(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(usage);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
