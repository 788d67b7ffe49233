import { SomaError } from "@soma/client/soma-error";
import type { Command } from "commander";
import { openContext, type Context } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatFields } from "../output/table.ts";

/** `soma whoami` */
export function addWhoami(program: Command): void {
  program.command("whoami").description("who the service takes you for, and where that comes from").action(whoami);
}

async function whoami(_flags: object, command: Command): Promise<void> {
  const context = openContext(command);
  const { settings, terminal, answer } = context;
  const { notes } = settings;
  const found = {
    url: settings.url,
    credential: notes
      ? {
          kind: notes.kind,
          from: settings.tokenFrom,
          user: notes.user,
          tenant: notes.tenant,
          role: notes.role,
          scopes: notes.scopes,
          expires_at: notes.expiresAt?.toISOString(),
        }
      : undefined,
    accepted: await isAccepted(context),
  };
  answer(found, ({ credential, accepted }) =>
    formatFields(terminal, {
      url: settings.url,
      user: credential?.user ?? "nobody: there is no login",
      tenant: credential?.tenant,
      role: credential?.role,
      scopes: credential?.scopes?.join(" "),
      expires: credential?.expires_at,
      from: credential?.from,
      accepted: accepted ? "yes" : "no",
    }),
  );
  if (!found.accepted) process.exitCode = exitCodes.notAllowed.code;
}

/** Whether the service takes the credential, whatever that may do. */
export async function isAccepted({ soma }: Pick<Context, "soma">): Promise<boolean> {
  try {
    await soma.getSessionPage({}, { pageSize: 1 });
  } catch (error) {
    // Without a token a loopback service asks for the tenant: that, too, is a service that lets one in.
    if (!(error instanceof SomaError) || ![400, 401, 403].includes(error.status)) throw error;
    return error.status !== 401;
  }
  return true;
}
