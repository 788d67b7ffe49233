import type { ErasureReport } from "@soma/client/shapes";
import type { Command } from "commander";
import { assertConfirmed } from "../confirm.ts";
import { openContext, stopTimeoutMs } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatFields } from "../output/table.ts";

interface EraseFlags {
  readonly reason?: string;
  readonly idempotencyKey?: string;
  readonly yes?: boolean;
}

const memories: Readonly<Record<ErasureReport["memory"], string>> = {
  erased: "erased",
  not_configured: "there is none",
  unavailable: "not known to be erased: repeat it when the memory gateway is back",
};

/** `soma erase` */
export function addErase(program: Command): void {
  program
    .command("erase")
    .description("erase a data subject: end the sessions, destroy the keys of all texts, forget the memory; for good")
    .argument("<user>", "whose")
    .option("--reason <text>", "stands in the tenant's ledger")
    .option("--idempotency-key <key>", "same key and user: the same erasure")
    .option("--yes", "do not ask")
    .action(erase);
}

async function erase(
  user: string,
  { reason, idempotencyKey, yes = false }: EraseFlags,
  command: Command,
): Promise<void> {
  const { tenant }: { tenant?: string } = command.optsWithGlobals();
  const { soma, terminal, answer } = openContext(command, stopTimeoutMs);
  const where = tenant === undefined ? "" : ` of ${tenant}`;
  terminal.say(
    `This ends every session of ${user}${where} and destroys the keys of everything that was ever asked and answered in them, and what is remembered. Nobody can read it again, but from an older backup together with the master key. The ledgers stay and verify: they hold digests.\n`,
  );
  await assertConfirmed(terminal, `Erase ${user} for good?`, yes);
  const report = await soma.eraseSubject(
    { user, ...(tenant !== undefined && { tenant }), ...(reason !== undefined && { reason }) },
    idempotencyKey === undefined ? {} : { idempotencyKey },
  );
  answer(report, ({ erasure_id: erasure, stopped, keys_destroyed: keys, memory }) =>
    formatFields(terminal, {
      erasure,
      user: `${user} of ${report.tenant}`,
      sessions: `${String(stopped)} ended`,
      keys: `${String(keys)} destroyed`,
      memory: memories[memory],
    }),
  );
  if (report.memory === "unavailable") process.exitCode = exitCodes.unsure.code;
}
