import type { OpenApproval, SessionView } from "@soma/client/shapes";
import type { Command } from "commander";
import { assertConfirmed } from "../confirm.ts";
import { actionTimeoutMs, openContext } from "../context.ts";
import { CliError } from "../exit-codes.ts";
import { describeApproval, tabulateApprovals } from "../output/approval-text.ts";

interface DecideFlags {
  readonly digest?: string;
  readonly reason?: string;
  readonly yes?: boolean;
}

type Verdict = "approve" | "deny";
const done: Readonly<Record<Verdict, string>> = { approve: "approved", deny: "denied" };

/** `soma session approve` and `soma session deny` */
export function withApprovals(session: Command): void {
  for (const verdict of ["approve", "deny"] as const)
    session
      .command(verdict)
      .description(
        verdict === "approve"
          ? "approve what a session waits for; shows it and asks first"
          : "deny what a session waits for; shows it and asks first",
      )
      .argument("<id>", "session id or workflow id")
      .argument("[approval]", "which one, where several wait")
      .option("--digest <digest>", "only if the action still has this digest, as soma session get shows it")
      .option("--reason <text>", "for people; kept with the session's texts")
      .option("--yes", "do not ask")
      .action((id: string, approval: string | undefined, flags: DecideFlags, command: Command) =>
        decide(verdict, id, approval, flags, command),
      );
}

/** `soma approval …` */
export function addApproval(program: Command): void {
  program
    .command("approval")
    .description("approvals that the tenant's sessions wait for")
    .command("list")
    .description("what waits for people, in which session")
    .action(list);
}

async function decide(
  verdict: Verdict,
  id: string,
  wanted: string | undefined,
  { digest, reason, yes = false }: DecideFlags,
  command: Command,
): Promise<void> {
  const { soma, settings, terminal, answer } = openContext(command, actionTimeoutMs);
  const approval = choose(await soma.getSession(id), wanted);
  const { approval_id, action_digest } = approval;
  if (digest !== undefined && digest !== action_digest)
    throw new CliError("failure", `The action has another digest now: ${action_digest}.`, `soma session get ${id}`);
  if (!settings.json) terminal.say(describeApproval(terminal, approval));
  await assertConfirmed(terminal, verdict === "approve" ? "Approve this?" : "Deny this?", yes);
  // The digest of what was shown: anything else is refused.
  const decision = { approval_id, action_digest, ...(reason !== undefined && { reason }) };
  answer(await soma[verdict](id, decision), ({ session_id, status, approvals = [] }) => {
    const open = approvals.find((one) => one.approval_id === approval_id);
    const missing = open ? `, ${String(open.quorum - open.granted_by.length)} more to come` : "";
    return `${approval_id} ${done[verdict]}${missing}; ${session_id} ${status}\n`;
  });
}

function choose({ session_id: id, status, approvals = [] }: SessionView, wanted: string | undefined): OpenApproval {
  const fitting = wanted === undefined ? approvals : approvals.filter(({ approval_id }) => approval_id === wanted);
  const [first] = fitting;
  if (first === undefined) {
    const what = wanted === undefined ? "no approval" : `no approval ${wanted}`;
    throw new CliError("notFound", `The session is ${status} and waits for ${what}.`, `soma session get ${id}`);
  }
  if (fitting.length > 1)
    throw new CliError("usage", `Several approvals wait: ${fitting.map((one) => one.approval_id).join(", ")}.`);
  return first;
}

async function list(_flags: object, command: Command): Promise<void> {
  const { soma, terminal, answer } = openContext(command);
  const sessions: SessionView[] = [];
  for await (const session of soma.listSessions({ status: "waiting_approval" }, { pageSize: 100 }))
    sessions.push(session);
  const approvals = sessions.flatMap(({ session_id, approvals: open = [] }) =>
    open.map((one) => ({ session_id, ...one })),
  );
  answer({ approvals }, () => tabulateApprovals(terminal, sessions));
}
