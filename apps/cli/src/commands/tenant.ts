import { readFileSync } from "node:fs";
import type { CreateTenantRequest, TenantEvent, TenantView } from "@soma/client/shapes";
import { InvalidArgumentError, type Command } from "commander";
import { openContext } from "../context.ts";
import { CliError } from "../exit-codes.ts";
import { describeEvent } from "../output/event-text.ts";
import { formatFields, formatTable } from "../output/table.ts";
import type { Terminal } from "../output/terminal.ts";
import { wholeNumber } from "./option-values.ts";

type Quotas = NonNullable<CreateTenantRequest["quotas"]>;
const quotaNames = [
  "running_sessions",
  "streams",
  "requests_per_minute",
  "concurrent_requests",
  "tokens_per_day",
] as const satisfies readonly (keyof Quotas)[];

interface SettingFlags {
  readonly name?: string;
  readonly quota?: Quotas;
  readonly policyPack?: string;
  readonly retentionDays?: number;
  readonly issuers?: string;
}

/** `soma tenant …` */
export function addTenant(program: Command): void {
  const tenant = program.command("tenant").description("tenants: who uses the installation, and how much of it");
  withSettings(
    tenant.command("create").description("make a tenant; for the installation's admins").argument("<tenant>", "its id"),
  ).action(create);
  tenant.command("get").description("a tenant's settings and usage").argument("<tenant>", "its id").action(get);
  tenant.command("list").description("all tenants").action(list);
  withSettings(
    tenant.command("update").description("change what is named and leave the rest").argument("<tenant>", "its id"),
  )
    .option("--if-version <version>", "only if the tenant is still in this version", wholeNumber(1))
    .action(update);
  for (const verb of ["suspend", "resume"] as const)
    tenant
      .command(verb)
      .description(verb === "suspend" ? "let nothing start and what runs pause" : "undo a suspension")
      .argument("<tenant>", "its id")
      .option("--reason <text>", "stands in the tenant's ledger")
      .action((id: string, flags: { readonly reason?: string }, command: Command) =>
        setStatus(verb, id, flags, command),
      );
  tenant
    .command("audit")
    .description("the tenant's own ledger: its changes, its keys, who was refused")
    .argument("<tenant>", "its id")
    .option("--after <sequence>", "only events after this one", wholeNumber(0), 0)
    .action(audit);
}

function withSettings(command: Command): Command {
  return command
    .option("--name <text>", "for people")
    .option("--quota <name=number>", `may be given again; ${quotaNames.join(", ")}`, readQuota)
    .option("--policy-pack <name>", "pack of the policy engine")
    .option("--retention-days <days>", "how long texts and ended sessions are kept", wholeNumber(1))
    .option("--issuers <file>", "JSON list of trusted OIDC issuers; - for standard input");
}

function readQuota(text: string, previous: Quotas = {}): Quotas {
  const [wanted = "", number = ""] = text.split("=");
  const name = quotaNames.find((known) => known === wanted);
  if (name === undefined || !/^\d{1,15}$/.test(number))
    throw new InvalidArgumentError(`It takes NAME=NUMBER with ${quotaNames.join(", ")}.`);
  return { ...previous, [name]: Number(number) };
}

function readSettingFlags({
  name,
  quota,
  policyPack,
  retentionDays,
  issuers,
}: SettingFlags): Omit<CreateTenantRequest, "tenant"> {
  return {
    ...(name !== undefined && { name }),
    ...(quota && { quotas: quota }),
    ...(policyPack !== undefined && { policy_pack: policyPack }),
    ...(retentionDays !== undefined && { retention_days: retentionDays }),
    ...(issuers !== undefined && { issuers: readIssuers(issuers) }),
  };
}

function readIssuers(file: string): NonNullable<CreateTenantRequest["issuers"]> {
  try {
    const issuers: unknown = JSON.parse(readFileSync(file === "-" ? 0 : file, "utf8"));
    // What stands in it is the service's to judge: it names each field that does not fit.
    if (Array.isArray(issuers)) return issuers;
  } catch {
    // Said below.
  }
  throw new CliError("usage", "--issuers takes a file that holds a JSON list.");
}

async function create(id: string, flags: SettingFlags, command: Command): Promise<void> {
  const { soma, terminal, answer } = openContext(command);
  answer(await soma.tenants.create({ tenant: id, ...readSettingFlags(flags) }), (view) =>
    describeTenant(terminal, view),
  );
}

async function get(id: string, _flags: object, command: Command): Promise<void> {
  const { soma, terminal, answer } = openContext(command);
  answer(await soma.tenants.get(id), (view) => describeTenant(terminal, view));
}

async function list(_flags: object, command: Command): Promise<void> {
  const { soma, terminal, answer } = openContext(command);
  const tenants: TenantView[] = [];
  for await (const tenant of soma.tenants.list()) tenants.push(tenant);
  answer({ tenants }, () =>
    formatTable(
      terminal,
      ["TENANT", "STATUS", "NAME", "PACK", "UPDATED"],
      tenants.map((view) => [view.tenant, view.status, view.name ?? "", view.policy_pack ?? "", view.updated_at]),
    ),
  );
}

async function update(
  id: string,
  { ifVersion, ...flags }: SettingFlags & { readonly ifVersion?: number },
  command: Command,
): Promise<void> {
  const changes = readSettingFlags(flags);
  if (Object.keys(changes).length === 0) throw new CliError("usage", "Nothing to change was named.");
  const { soma, terminal, answer } = openContext(command);
  const body = { ...changes, ...(ifVersion !== undefined && { version: ifVersion }) };
  answer(await soma.tenants.update(id, body), (view) => describeTenant(terminal, view));
}

async function setStatus(
  verb: "suspend" | "resume",
  id: string,
  { reason }: { readonly reason?: string },
  command: Command,
): Promise<void> {
  const { soma, answer } = openContext(command);
  answer(
    await soma.tenants[verb](id, reason === undefined ? {} : { reason }),
    ({ tenant, status }) => `${tenant} ${status}\n`,
  );
}

async function audit(id: string, { after }: { readonly after: number }, command: Command): Promise<void> {
  const { soma, terminal, answer } = openContext(command);
  const events: TenantEvent[] = [];
  for await (const event of soma.tenants.events(id, { after })) events.push(event);
  answer({ events }, () =>
    formatTable(
      terminal,
      ["#", "TIME", "WHO", "EVENT"],
      events.map((event) => [String(event.sequence), event.time, event.user, describeEvent(event)]),
    ),
  );
}

function describeTenant(terminal: Terminal, view: TenantView): string {
  const { quotas, usage } = view;
  return formatFields(terminal, {
    tenant: view.tenant,
    status: view.status,
    name: view.name,
    version: String(view.version),
    policy_pack: view.policy_pack,
    retention_days: view.retention_days?.toString(),
    issuers: view.issuers.length === 0 ? undefined : view.issuers.map(({ issuer }) => issuer).join(" "),
    ...Object.fromEntries(quotaNames.map((name) => [name, String(quotas[name])])),
    ...(usage && { running_now: String(usage.running_sessions), tokens_today: String(usage.tokens_today) }),
    created: view.created_at,
    updated: view.updated_at,
  });
}
