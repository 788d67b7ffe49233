import { chmodSync, closeSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { CliError } from "../exit-codes.ts";

/** One place to talk to, and what to show there. */
export interface Profile {
  readonly url: string;
  /** An access token or an API key; never printed. */
  readonly token?: string;
  /** Where a service without tokens has to be told. */
  readonly tenant?: string;
}

interface ProfileFile {
  readonly version: 1;
  readonly profiles: Readonly<Record<string, Profile>>;
}

/** Where profiles are: `$XDG_CONFIG_HOME/soma/profiles.json`, or in `~/.config`. */
export function profilePath(environment: Readonly<Record<string, string | undefined>>): string {
  const { XDG_CONFIG_HOME: configured = "", HOME: home = homedir() } = environment;
  return join(configured === "" ? join(home, ".config") : configured, "soma/profiles.json");
}

/** The profile of this name. @throws CliError when others may read the file, or it is not one of ours. */
export function readProfile(path: string, name: string): Profile | undefined {
  return readProfiles(path)[name];
}

/** Writes a profile, or removes it; the file is for its owner alone, whole at any time. */
export function writeProfile(path: string, name: string, profile: Profile | undefined): void {
  const { [name]: _replaced, ...others } = readProfiles(path);
  const file: ProfileFile = { version: 1, profiles: { ...others, ...(profile && { [name]: profile }) } };
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.${String(process.pid)}`;
  writeFileSync(aside, `${JSON.stringify(file, undefined, 2)}\n`, { mode: 0o600, flag: "wx" });
  chmodSync(aside, 0o600);
  renameSync(aside, path);
}

function readProfiles(path: string): Readonly<Record<string, Profile>> {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw new CliError("failure", `${path} cannot be opened.`);
  }
  try {
    if ((fstatSync(descriptor).mode & 0o077) !== 0)
      throw new CliError(
        "notAllowed",
        `${path} is open to other users of this machine.`,
        `chmod 600 ${path}, and think of the keys in it as known`,
      );
    return parse(path, readFileSync(descriptor, "utf8"));
  } finally {
    closeSync(descriptor);
  }
}

function parse(path: string, text: string): Readonly<Record<string, Profile>> {
  try {
    const file: Partial<ProfileFile> | null = JSON.parse(text);
    if (file?.version === 1 && typeof file.profiles === "object") return file.profiles;
  } catch {
    // Said below, without what stands in it.
  }
  throw new CliError("failure", `${path} is not a file of profiles.`, `move it away and log in again`);
}
