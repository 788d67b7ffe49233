import type { ApiKeyView, CreateApiKeyRequest } from "@soma/client/shapes";
import { Option, type Command } from "commander";
import { openContext } from "../context.ts";
import { CliError } from "../exit-codes.ts";
import { formatTable } from "../output/table.ts";
import { collect, seconds } from "./option-values.ts";

type Role = CreateApiKeyRequest["role"];
type Scope = NonNullable<CreateApiKeyRequest["scopes"]>[number];
const roles: readonly Role[] = ["viewer", "operator", "approver", "admin", "auditor"];

interface CreateFlags {
  readonly role: Role;
  readonly scope?: Scope[];
  readonly expiresIn?: number;
}

/** `soma key …` */
export function addKey(program: Command): void {
  const key = program.command("key").description("API keys, for machines");
  key
    .command("create")
    .description("make a key; its secret is printed this once and never again")
    .argument("<name>", "for people")
    .addOption(new Option("--role <role>", "the most that it may do").choices(roles).makeOptionMandatory())
    .option("--scope <scope>", "narrows the role; may be given again", collect)
    .option("--expires-in <time>", "e.g. 90d, 12h; 90d unless given", seconds)
    .action(create);
  key.command("list").description("the tenant's keys, without their secrets").action(list);
  key
    .command("revoke")
    .description("end a key, and the sessions that were started with it")
    .argument("<key-id>", "as list shows it")
    .action(revoke);
}

async function create(name: string, { role, scope, expiresIn }: CreateFlags, command: Command): Promise<void> {
  const { soma, settings, terminal } = openContext(command);
  const key = await soma.apiKeys.create({
    name,
    role,
    ...(settings.tenant !== undefined && { tenant: settings.tenant }),
    ...(scope && { scopes: scope }),
    ...(expiresIn !== undefined && { expires_in_seconds: expiresIn }),
  });
  if (key.secret === undefined)
    throw new CliError(
      "failure",
      `The key ${key.key_id} exists, and its secret is lost.`,
      `soma key revoke ${key.key_id}`,
    );
  if (settings.json) return terminal.out(`${JSON.stringify(key, undefined, 2)}\n`);
  terminal.out(`${key.secret}\n`);
  terminal.say(
    `key ${key.key_id} of ${key.tenant}, ${key.role}, until ${key.expires_at}. Keep it: it is not shown again.\n`,
  );
}

async function list(_flags: object, command: Command): Promise<void> {
  const { soma, settings, terminal, answer } = openContext(command);
  const keys = await soma.apiKeys.list(settings.tenant === undefined ? {} : { tenant: settings.tenant });
  answer({ keys }, () =>
    formatTable(
      terminal,
      ["KEY", "NAME", "ROLE", "STATE", "EXPIRES", "LAST USED"],
      keys.map((key) => [key.key_id, key.name, key.role, stateOf(key), key.expires_at, key.last_used_at ?? ""]),
    ),
  );
}

async function revoke(keyId: string, _flags: object, command: Command): Promise<void> {
  const { soma, settings, answer } = openContext(command);
  await soma.apiKeys.revoke(keyId, settings.tenant === undefined ? {} : { tenant: settings.tenant });
  answer({ key_id: keyId, revoked: true }, () => `${keyId} revoked\n`);
}

function stateOf({ revoked_at: revokedAt, expires_at: expiresAt }: ApiKeyView): string {
  if (revokedAt !== undefined) return "revoked";
  return Date.parse(expiresAt) <= Date.now() ? "expired" : "active";
}
