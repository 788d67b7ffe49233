import { Command, Option } from "commander";
import { addApproval } from "./commands/approval.ts";
import { addAudit } from "./commands/audit.ts";
import { addChat } from "./commands/chat.ts";
import { addCompletion } from "./commands/completion.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addErase } from "./commands/erase.ts";
import { addKey } from "./commands/key.ts";
import { addLogin } from "./commands/login.ts";
import { addLogout } from "./commands/logout.ts";
import { addPolicy } from "./commands/policy.ts";
import { addSession } from "./commands/session.ts";
import { addStop } from "./commands/stop.ts";
import { addTenant } from "./commands/tenant.ts";
import { addWhoami } from "./commands/whoami.ts";
import { withoutSecrets } from "./output/without-secrets.ts";
import { version } from "./version.ts";

/** The whole command tree; nothing runs before it is parsed. All commands are listed here. */
export function buildProgram(): Command {
  const program = new Command("soma")
    .description(
      "Sessions of AI agents, their ledgers and who may start them: the Soma orchestrator on the command line.",
    )
    .version(version)
    .addOption(new Option("--url <url>", "address of the gateway (SOMA_URL; http://127.0.0.1:10000)"))
    .addOption(new Option("--profile <name>", "profile to use (SOMA_PROFILE; default)"))
    .addOption(new Option("--tenant <tenant>", "tenant, where the login does not say it"))
    .addOption(new Option("--json", "answer with JSON"))
    .configureHelp({ showGlobalOptions: true })
    // Set before the commands are made: they inherit it.
    .configureOutput({
      outputError: (text, write) => {
        write(withoutSecrets(text));
      },
    })
    .showHelpAfterError("Run with --help to see what is accepted.")
    .exitOverride();
  for (const add of [
    addLogin,
    addLogout,
    addWhoami,
    addSession,
    addChat,
    addApproval,
    addAudit,
    addPolicy,
    addTenant,
    addKey,
    addStop,
    addErase,
    addDoctor,
    addCompletion,
  ])
    add(program);
  return program;
}
