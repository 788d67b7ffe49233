import type { Command } from "commander";
import { openTerminal } from "../output/terminal.ts";
import { profilePath, readProfile, writeProfile } from "../profile/profile-file.ts";
import { profileName, type GlobalOptions } from "../settings.ts";

/** `soma logout` */
export function addLogout(program: Command): void {
  program
    .command("logout")
    .description("remove the profile; a key or token that it held stays valid until it ends")
    .action(logout);
}

function logout(_flags: object, command: Command): void {
  const options: GlobalOptions = command.optsWithGlobals();
  const { json = false } = options;
  const profile = profileName(options);
  const path = profilePath(process.env);
  const wasThere = readProfile(path, profile) !== undefined;
  if (wasThere) writeProfile(path, profile, undefined);
  const terminal = openTerminal();
  if (json) terminal.out(`${JSON.stringify({ profile, removed: wasThere })}\n`);
  else terminal.say(wasThere ? `Profile ${profile} removed.\n` : `There is no profile ${profile}.\n`);
}
