import { CliError } from "./exit-codes.ts";
import { readToken, type TokenNotes } from "./profile/credential.ts";
import { profilePath, readProfile } from "./profile/profile-file.ts";

/** Environment variables that the commands know; the reference is made from this table. */
export const environmentVariables = {
  SOMA_URL: "Address of the gateway; `--url` wins over it.",
  SOMA_API_KEY: "An API key, instead of a login.",
  SOMA_TOKEN: "An access token, instead of a login.",
  SOMA_PROFILE: "Name of the profile; `--profile` wins over it.",
  XDG_CONFIG_HOME: "Folder that holds `soma/profiles.json`; `~/.config` unless set.",
  NO_COLOR: "Anything: no colours. There are none where standard output is not a terminal either.",
} as const;

/** Options that every command takes. */
export interface GlobalOptions {
  readonly url?: string;
  readonly profile?: string;
  readonly tenant?: string;
  readonly json?: boolean;
}

/** Where to go, as whom. */
export interface Settings {
  readonly url: string;
  readonly urlFrom: string;
  readonly profile: string;
  readonly profilePath: string;
  readonly token: string | undefined;
  readonly tokenFrom: string | undefined;
  readonly notes: TokenNotes | undefined;
  readonly tenant: string | undefined;
  readonly json: boolean;
}

export const defaultUrl = "http://127.0.0.1:10000";

/**
 * Settles what the command line, the environment and the profile say, in this order.
 * @throws CliError for two credentials at once, or one that cannot be one.
 */
export function readSettings(
  options: GlobalOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Settings {
  const { SOMA_URL, SOMA_API_KEY, SOMA_TOKEN } = environment;
  const name = profileName(options, environment);
  const path = profilePath(environment);
  const profile = readProfile(path, name);
  const url = checkUrl(options.url ?? given(SOMA_URL) ?? profile?.url ?? defaultUrl);
  const urlFrom = options.url ? "--url" : given(SOMA_URL) ? "SOMA_URL" : profile ? `profile ${name}` : "default";
  if (given(SOMA_API_KEY) !== undefined && given(SOMA_TOKEN) !== undefined)
    throw new CliError("usage", "SOMA_API_KEY and SOMA_TOKEN are both set.", "unset one of them");
  const variable = given(SOMA_API_KEY) === undefined ? "SOMA_TOKEN" : "SOMA_API_KEY";
  const fromEnvironment = given(SOMA_API_KEY) ?? given(SOMA_TOKEN);
  // A profile's credential goes to the profile's address and nowhere else.
  const fromProfile = profile && new URL(profile.url).origin === new URL(url).origin ? profile.token : undefined;
  const token = fromEnvironment ?? fromProfile;
  const notes = token === undefined ? undefined : readToken(token);
  if (token !== undefined && !notes) {
    const where = fromEnvironment === undefined ? `The profile ${name}` : variable;
    throw new CliError("notAllowed", `${where} holds what is neither a token nor an API key.`, "soma login");
  }
  return {
    url,
    urlFrom,
    profile: name,
    profilePath: path,
    token,
    tokenFrom: token === undefined ? undefined : fromEnvironment === undefined ? `profile ${name}` : variable,
    notes,
    tenant: options.tenant ?? (token === undefined ? profile?.tenant : undefined),
    json: options.json === true,
  };
}

/** The profile that a command is about. */
export function profileName(
  { profile }: Pick<GlobalOptions, "profile">,
  { SOMA_PROFILE }: Readonly<Record<string, string | undefined>> = process.env,
): string {
  return profile ?? given(SOMA_PROFILE) ?? "default";
}

function given(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    throw new CliError("usage", "The address must be http(s)://HOST[:PORT], without user or password.");
  return text.replace(/\/+$/, "");
}
