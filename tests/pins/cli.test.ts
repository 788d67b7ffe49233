import assert from "node:assert/strict";
import { test } from "node:test";
import { readCommands } from "../../apps/cli/src/command-notes.ts";
import { exitCodes } from "../../apps/cli/src/exit-codes.ts";
import { buildProgram } from "../../apps/cli/src/program.ts";
import { environmentVariables } from "../../apps/cli/src/settings.ts";

// Literals on purpose: scripts of other people hang on these.

test("exit codes of the command line", () => {
  assert.deepEqual(
    Object.entries(exitCodes).map(([name, { code }]) => [name, code]),
    [
      ["ok", 0],
      ["failure", 1],
      ["usage", 2],
      ["notFound", 3],
      ["notAllowed", 4],
      ["unavailable", 5],
      ["notVerified", 6],
      ["notCompleted", 7],
      ["waits", 8],
      ["unsure", 9],
      ["interrupted", 130],
    ],
  );
});

test("variables of the command line", () => {
  assert.deepEqual(Object.keys(environmentVariables), [
    "SOMA_URL",
    "SOMA_API_KEY",
    "SOMA_TOKEN",
    "SOMA_PROFILE",
    "XDG_CONFIG_HOME",
    "NO_COLOR",
  ]);
});

test("commands with what they take", () => {
  const commands = readCommands(buildProgram()).map(({ path, parameters, options }) =>
    [path, ...[...parameters, ...options].map(({ name }) => name)].join(" "),
  );
  assert.deepEqual(commands, [
    "soma login --api-key --token --issuer <url> --client-id <id> --resource <uri> --scope <scopes> --dev --stack <name> --user <user>",
    "soma logout",
    "soma whoami",
    "soma session start [prompt] --stdin --model <name> --label <label> --id <id> --idempotency-key <key> --user <user> --interactive --idle <time> --watch --budget-tokens <number> --budget-cost <amount> --budget-steps <number> --budget-time <time>",
    "soma session get <id>",
    "soma session diagnose <id>",
    "soma session list --status <status> --user <user> --label <label> --capsule <capsule> --since <time> --limit <number>",
    "soma session watch <id> --after <sequence> --turn",
    "soma session say <id> [text] --stdin --busy <strategy> --final --idempotency-key <key> --wait",
    "soma session pause <id> --reason <text>",
    "soma session resume <id> --reason <text>",
    "soma session retry <id> --reason <text>",
    "soma session cancel <id> --reason <text>",
    "soma session terminate <id> --reason <text>",
    "soma session extend-budget <id> --tokens <number> --cost <amount> --steps <number> --time <time>",
    "soma session approve <id> [approval] --digest <digest> --reason <text> --yes",
    "soma session deny <id> [approval] --digest <digest> --reason <text> --yes",
    "soma chat [id] --model <name> --user <user> --idle <time> --budget-tokens <number> --budget-cost <amount> --budget-steps <number> --budget-time <time>",
    "soma approval list",
    "soma audit show <id> --after <sequence>",
    "soma audit export <id> --out <file>",
    "soma audit verify [id] --file <file> --head <hash>",
    "soma policy test <pack>",
    "soma tenant create <tenant> --name <text> --quota <name=number> --policy-pack <name> --retention-days <days> --issuers <file>",
    "soma tenant get <tenant>",
    "soma tenant list",
    "soma tenant update <tenant> --name <text> --quota <name=number> --policy-pack <name> --retention-days <days> --issuers <file> --if-version <version>",
    "soma tenant suspend <tenant> --reason <text>",
    "soma tenant resume <tenant> --reason <text>",
    "soma tenant audit <tenant> --after <sequence>",
    "soma key create <name> --role <role> --scope <scope> --expires-in <time>",
    "soma key list",
    "soma key revoke <key-id>",
    "soma stop --session <id> --user <user> --agent <agent> --all --reason <text> --idempotency-key <key> --yes",
    "soma erase <user> --reason <text> --idempotency-key <key> --yes",
    "soma doctor",
    "soma completion <shell>",
  ]);
});
