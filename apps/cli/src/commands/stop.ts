import type { StopReport, StopRequest } from "@soma/client/shapes";
import type { Command } from "commander";
import { assertConfirmed } from "../confirm.ts";
import { openContext, stopTimeoutMs } from "../context.ts";
import { CliError, exitCodes } from "../exit-codes.ts";
import { formatFields } from "../output/table.ts";
import type { Terminal } from "../output/terminal.ts";

interface StopFlags {
  readonly session?: string;
  readonly user?: string;
  readonly agent?: string;
  readonly all?: boolean;
  readonly reason: string;
  readonly yes?: boolean;
  readonly idempotencyKey?: string;
}

/** `soma stop` */
export function addStop(program: Command): void {
  program
    .command("stop")
    .description(
      "the kill switch: cancel what runs and revoke what it acts with; with --tenant alone all of that tenant",
    )
    .option("--session <id>", "this session")
    .option("--user <user>", "all sessions of this user")
    .option("--agent <agent>", "all sessions of this agent")
    .option("--all", "all sessions of all tenants; for the installation's admins")
    .requiredOption("--reason <text>", "stands in the ledgers")
    .option("--idempotency-key <key>", "same key and words: the same stop")
    .option("--yes", "do not ask")
    .action(stop);
}

async function stop(flags: StopFlags, command: Command): Promise<void> {
  const { tenant }: { tenant?: string } = command.optsWithGlobals();
  const { soma, terminal, answer } = openContext(command, stopTimeoutMs);
  const { scope, what } = readScope(flags, tenant);
  const { reason, yes = false, idempotencyKey } = flags;
  const where = tenant === undefined || scope.scope === "tenant" ? "" : ` of ${tenant}`;
  terminal.say(
    `This cancels ${what}${where}, whatever it is doing, and revokes the tokens that it acts with. What has ended does not begin again; what starts later runs.\n`,
  );
  await assertConfirmed(terminal, "Stop it?", yes);
  const request = { ...scope, reason, ...(tenant !== undefined && { tenant }) };
  const report = await soma.stopSessions(request, idempotencyKey === undefined ? {} : { idempotencyKey });
  answer(report, () => describeReport(terminal, report));
  if (report.unknown.length > 0 || report.tokens.not_revoked > 0) process.exitCode = exitCodes.unsure.code;
}

interface Scope {
  readonly scope: Pick<StopRequest, "scope" | "target">;
  /** In words. */
  readonly what: string;
}

/** @throws CliError unless exactly one is named */
function readScope({ session, user, agent, all }: StopFlags, tenant: string | undefined): Scope {
  const named: Scope[] = [
    ...(session === undefined
      ? []
      : [{ scope: { scope: "session", target: session } as const, what: `the session ${session}` }]),
    ...(user === undefined
      ? []
      : [{ scope: { scope: "user", target: user } as const, what: `every session of the user ${user}` }]),
    ...(agent === undefined
      ? []
      : [{ scope: { scope: "agent", target: agent } as const, what: `every session of the agent ${agent}` }]),
    ...(all === true ? [{ scope: { scope: "all" } as const, what: "every session of every tenant" }] : []),
  ];
  const [first, ...others] = named;
  if (first === undefined && tenant !== undefined)
    return { scope: { scope: "tenant" }, what: `every session of the tenant ${tenant}` };
  if (first === undefined || others.length > 0 || (all === true && tenant !== undefined))
    throw new CliError("usage", "Name one: --session, --user, --agent, --tenant or --all.");
  return first;
}

function describeReport(
  terminal: Terminal,
  { stop_id: id, stopped, already_ended: ended, unknown, tokens }: StopReport,
): string {
  const notRevoked = tokens.not_revoked === 0 ? "" : `; ${String(tokens.not_revoked)} are not known to be`;
  const fields = formatFields(terminal, {
    stop: id,
    stopped: `${String(stopped.length)} sessions${ended === 0 ? "" : `; ${String(ended)} had ended`}`,
    tokens: `${String(tokens.revoked)} revoked${notRevoked}`,
    api_keys:
      tokens.api_keys.length === 0 ? undefined : `${tokens.api_keys.join(" ")}: still good, soma key revoke ends one`,
    not_known: unknown.length === 0 ? undefined : `${String(unknown.length)} sessions`,
  });
  return fields + unknown.map(({ session_id, why }) => `  ${session_id}  ${why}\n`).join("");
}
