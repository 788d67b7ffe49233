import { createClient } from "@soma/client/client";
import { SomaError } from "@soma/client/soma-error";
import { Option, type Command } from "commander";
import { logInToDevelopmentStack } from "../development-login.ts";
import { CliError } from "../exit-codes.ts";
import { openTerminal, type Terminal } from "../output/terminal.ts";
import { readToken, type TokenNotes } from "../profile/credential.ts";
import { writeProfile } from "../profile/profile-file.ts";
import { logInWithDevice } from "../oauth/device-flow.ts";
import { readSecret } from "../read-secret.ts";
import { readSettings, type GlobalOptions, type Settings } from "../settings.ts";

interface LoginFlags {
  readonly apiKey?: boolean;
  readonly token?: boolean;
  readonly issuer?: string;
  readonly clientId?: string;
  readonly resource?: string;
  readonly scope?: string;
  readonly dev?: boolean;
  readonly stack: string;
  readonly user: string;
}

/** `soma login`: a credential that the service takes goes into the profile; no credential is ever an argument. */
export function addLogin(program: Command): void {
  program
    .command("login")
    .description("keep a credential in the profile, once the service has accepted it")
    .addOption(
      new Option("--api-key", "an API key, from standard input or asked for").conflicts(["token", "issuer", "dev"]),
    )
    .addOption(new Option("--token", "an access token, from standard input or asked for").conflicts(["issuer", "dev"]))
    .addOption(
      new Option("--issuer <url>", "log in at the tenant's OIDC issuer (device flow); takes --tenant").conflicts("dev"),
    )
    .option("--client-id <id>", "this program at the issuer")
    .option("--resource <uri>", "audience to ask the issuer for (RFC 8707)")
    .option("--scope <scopes>", "scopes to ask the issuer for", "openid")
    .option("--dev", "development only: as a user of the stack that runs from this checkout")
    .option("--stack <name>", "with --dev: name of the stack", "dev")
    .option("--user <user>", "with --dev: who to be", "user-demo")
    .action(login);
}

async function login(flags: LoginFlags, command: Command): Promise<void> {
  const options: GlobalOptions = command.optsWithGlobals();
  // What the environment holds is not what is being logged in with.
  const settings = readSettings(options, { ...process.env, SOMA_API_KEY: "", SOMA_TOKEN: "" });
  const terminal = openTerminal();
  const { url, token } = await obtain(flags, options, settings, terminal);
  const notes = readToken(token);
  if (!notes) throw new CliError("usage", "That is neither an API key nor an access token.");
  await assertAccepted(url, token);
  writeProfile(settings.profilePath, settings.profile, { url, token });
  report(terminal, settings, url, notes);
}

async function obtain(
  flags: LoginFlags,
  options: GlobalOptions,
  { url, urlFrom }: Settings,
  terminal: Terminal,
): Promise<{ readonly url: string; readonly token: string }> {
  if (flags.dev === true) {
    terminal.say("Development only: the login service's own credential of a local stack is used.\n");
    const { tenant = "tenant-demo" } = options;
    const found = await logInToDevelopmentStack({ stack: flags.stack, tenant, user: flags.user });
    return { token: found.token, url: urlFrom === "--url" || urlFrom === "SOMA_URL" ? url : found.url };
  }
  if (flags.apiKey === true) return { url, token: await readSecret("API key", terminal) };
  if (flags.token === true) return { url, token: await readSecret("access token", terminal) };
  if (flags.issuer === undefined)
    throw new CliError("usage", "Say how: --api-key, --token, --issuer URL --client-id ID, or --dev.");
  if (flags.clientId === undefined || options.tenant === undefined)
    throw new CliError("usage", "--issuer takes --client-id and --tenant, too.");
  const { issuer, clientId, scope = "openid", resource } = flags;
  const foreign = await logInWithDevice(
    { issuer, clientId, scope, ...(resource !== undefined && { resource }) },
    (where) => {
      terminal.say(`Open ${where.url} and enter ${where.code}; waiting for you there …\n`);
    },
  );
  const { token } = await createClient({ baseUrl: url }).login({ tenant: options.tenant, token: foreign });
  return { url, token };
}

/** A credential that the service does not take is not kept. What it may do is not asked: that is for each command. */
async function assertAccepted(url: string, token: string): Promise<void> {
  try {
    await createClient({ baseUrl: url, token }).getSessionPage({}, { pageSize: 1 });
  } catch (error) {
    if (!(error instanceof SomaError) || error.status !== 403) throw error;
  }
}

function report(terminal: Terminal, { json, profile }: Settings, url: string, notes: TokenNotes): void {
  const { kind, user, tenant, expiresAt } = notes;
  if (json)
    return terminal.out(
      `${JSON.stringify({ profile, url, kind, user, tenant, expires_at: expiresAt?.toISOString() }, undefined, 2)}\n`,
    );
  const who = [user, tenant && `of ${tenant}`].filter(Boolean).join(" ");
  const until = expiresAt ? `, until ${expiresAt.toISOString()}` : "";
  terminal.say(`Logged in to ${url} as ${who}${until} (profile ${profile}).\n`);
}
