import assert from "node:assert/strict";
import { after, test } from "node:test";
import { SessionView } from "@soma/contracts/session";
import { OpenApproval } from "@soma/contracts/session-action";
import { Type } from "typebox";
import { Value } from "typebox/value";
import { deniedPrompt, startApiStack } from "../../../tests/harness/api-stack.ts";
import { until } from "../../../tests/harness/until.ts";
import { endKey, interruptKey, runAtTerminal } from "./run-at-terminal.ts";
import { openShell, type Outcome } from "./run-soma.ts";

const api = await startApiStack({ after }, "cli-steering");
const token = await api.token();
/** Who asks, who decides, and somebody who does neither. */
const soma = openShell({ after }, { SOMA_URL: api.url, SOMA_TOKEN: token });
const approving = {
  SOMA_URL: api.url,
  SOMA_TOKEN: await api.token("approver-demo", ["session.read", "session.approve", "budget.extend"]),
};
const approver = openShell({ after }, approving);

/** The policy of the demo tenant wants this approved; there is no model in this stack, and none is asked before. */
const release = "Write one line about the release to our customers.";

async function view(id: string): Promise<SessionView> {
  const found = await soma.json(["session", "get", id]);
  assert.ok(Value.Check(SessionView, found), JSON.stringify(found));
  return found;
}

function reached(id: string, status: string): Promise<SessionView> {
  return until(`${id} is ${status}`, async () => {
    const now = await view(id);
    return now.status === status ? now : undefined;
  });
}

async function start(prompt: string, ...more: readonly string[]): Promise<string> {
  const started = await soma.run(["session", "start", prompt, "--interactive", ...more]);
  assert.equal(started.code, 0, started.stderr);
  return started.stdout.trim();
}

function assertExit({ code, stderr }: Outcome, expected: number, words: RegExp): void {
  assert.equal(code, expected, stderr);
  assert.match(stderr, words);
}

test("a first answer that waits for an approval: exit code 8 and what to do; what waits is listed; a denial ends the turn, not the session", async () => {
  const watched = await soma.run(["session", "start", release, "--interactive", "--idle", "1h", "--watch"]);
  assertExit(watched, 8, /^session \S+\n/);
  const id = /^session (\S+)/.exec(watched.stderr)?.[1] ?? "";
  assert.match(watched.stderr, /approval +apr_[0-9a-f]{32}\nstep +completion-1, model\.complete on model:/);
  assert.match(watched.stderr, new RegExp(`Somebody else has to decide: soma session approve ${id} apr_`));
  const { approvals: [approval] = [] } = await view(id);
  assert.ok(approval);
  const row = new RegExp(`^${id} +${approval.approval_id} +model\\.complete +user-demo +approver +\\d{4}-`, "m");
  assert.match((await approver.run(["approval", "list"])).stdout, row);
  const listed = await approver.json(["approval", "list"]);
  const Listed = Type.Object({ approvals: Type.Array(Type.Interface([OpenApproval], { session_id: Type.String() })) });
  assert.ok(Value.Check(Listed, listed), JSON.stringify(listed));
  assert.ok(
    listed.approvals.some(({ session_id, approval_id }) => session_id === id && approval_id === approval.approval_id),
  );
  const shown = await soma.run(["session", "get", id]);
  assert.match(shown.stdout, /^turn +1$/m);
  assert.match(shown.stdout, /^allows +message approve deny pause cancel terminate$/m);
  assert.match(shown.stdout, new RegExp(`^digest +${approval.action_digest}$`, "m"));
  assert.match(shown.stdout, /^prompt +Write one line about the release to our customers\.$/m);

  const looking = soma.run(["session", "watch", id, "--turn", "--after", "0"]);
  assertExit(
    await approver.run(["session", "deny", id]),
    2,
    /Nobody can be asked here\.\n +next: look at it, then repeat with --yes/,
  );
  const denied = await approver.run(["session", "deny", id, "--yes", "--reason", "not this week"]);
  assert.equal(denied.code, 0, denied.stderr);
  assert.match(denied.stderr, new RegExp(`^digest +${approval.action_digest}$`, "m"));
  assert.match(denied.stdout, new RegExp(`^${approval.approval_id} denied; ${id} \\w+\n$`));
  assertExit(await looking, 7, /turn 1 denied: .*\(APPROVAL_DENIED\)\n$/);
  assert.match((await soma.run(["session", "get", id])).stdout, /^last_turn +.*\(APPROVAL_DENIED\)$/m);
  assertExit(await approver.run(["session", "deny", id, "--yes"]), 3, /waits for no approval/);
  assert.equal((await approver.run(["session", "watch", id, "--turn"])).code, 0);
  assert.equal((await soma.run(["session", "terminate", id])).code, 0);
});

test("approve sends the digest that it showed, refuses another one, and nobody approves his own request", async () => {
  const id = await start(release);
  const { approvals: [approval] = [] } = await reached(id, "waiting_approval");
  assert.ok(approval);
  const { approval_id, action_digest } = approval;
  const other = `sha256:${"0".repeat(64)}`;
  const changed = ["session", "approve", id, approval_id, "--yes", "--digest", other];
  assertExit(await approver.run(changed), 1, new RegExp(`another digest now: ${action_digest}`));
  assertExit(await soma.run(["session", "approve", id, "--yes"]), 4, /FORBIDDEN \(403\)/);
  assert.equal((await view(id)).status, "waiting_approval");
  {
    using asked = runAtTerminal(`soma session approve ${id}`, { HOME: approver.home, ...approving });
    await asked.shows(new RegExp(`digest +${action_digest}[^]*Approve this\\? \\[y/N\\] $`));
    asked.type("\r");
    assert.equal(await asked.ended(), 1);
  }
  assert.equal((await view(id)).status, "waiting_approval");
  const approved = await approver.json(["session", "approve", id, approval_id, "--yes", "--digest", action_digest]);
  assert.ok(Value.Check(SessionView, approved));
  assert.equal(approved.accepted?.action, "approve");
  assert.equal((await view(id)).approvals, undefined);
  assert.equal((await soma.run(["session", "cancel", id, "--reason", "seen enough"])).code, 0);
  await reached(id, "canceled");
});

test("say is said once for a key, tells a busy session from a free one, and is judged by policy", async () => {
  const id = await start(deniedPrompt);
  await reached(id, "waiting_input");
  assertExit(await soma.run(["session", "say", id, deniedPrompt]), 4, /POLICY_DENIED \(403\)/);
  const key = ["--idempotency-key", "one"];
  const said = await soma.run(["session", "say", id, release, ...key, "--json"]);
  assert.equal(said.code, 8, said.stderr);
  const lines = said.stdout
    .trim()
    .split("\n")
    .map((line): { kind: string; said?: unknown; event?: { type: string } } => JSON.parse(line));
  assert.equal(lines.at(0)?.kind, "said");
  assert.deepEqual(
    lines.flatMap(({ event }) => event?.type ?? []),
    ["message.received", "turn.started", "policy.decided", "approval.requested"],
  );
  assert.equal(lines.at(-1)?.kind, "session");
  const again = await soma.run(["session", "say", id, release, ...key, "--json"]);
  assert.equal(again.code, 8, again.stderr);
  assert.deepEqual(JSON.parse(again.stdout.split("\n")[0] ?? ""), lines[0]);
  assertExit(await soma.run(["session", "say", id, "And now?"]), 1, /SESSION_BUSY \(409\)/);
  // It takes the place of what waits: without a model, it waits for one.
  const interrupting = soma.run(["session", "say", id, "Say yes.", "--busy", "interrupt", "--final"], {
    onSaid(text, interrupt) {
      if (text.includes("dependency.unavailable")) interrupt();
    },
  });
  assertExit(await interrupting, 130, /turn\.ended: 2, interrupted[^]*The session goes on without you/);
  assert.equal((await view(id)).turn, 3);
  assert.equal((await soma.run(["session", "terminate", id])).stdout, `${id} failed\n`);
  assertExit(await soma.run(["session", "say", id, "Hello?"]), 1, /ACTION_NOT_ALLOWED \(409\)/);
});

test("pause, resume, retry and budget: each does what its name says, or says what is possible instead", async () => {
  const id = await start(deniedPrompt, "--budget-tokens", "500", "--budget-steps", "9", "--budget-time", "1h");
  await reached(id, "waiting_input");
  assert.equal((await soma.run(["session", "pause", id])).stdout, `${id} paused\n`);
  assertExit(await soma.run(["session", "say", id, "Hello?"]), 1, /it allows: .*resume/);
  assert.equal((await soma.run(["session", "resume", id])).stdout, `${id} waiting_input\n`);
  assertExit(
    await soma.run(["session", "retry", id]),
    1,
    /it allows: message, pause, cancel, terminate, extend-budget/,
  );
  assert.match(
    (await soma.run(["session", "get", id])).stdout,
    /^budget +tokens 0 of 500; steps 0 of 9; time until \d{4}-/m,
  );
  assertExit(await soma.run(["session", "extend-budget", id, "--tokens", "100"]), 4, /FORBIDDEN/);
  const extended = await approver.run(["session", "extend-budget", id, "--tokens", "100", "--steps", "3"]);
  assert.match(extended.stdout, new RegExp(`^${id} waiting_input: tokens 0 of 600; steps 0 of 12; `));
  assert.equal((await soma.run(["session", "terminate", id])).code, 0);
});

test("a chat at a terminal: a turn that waits says what for, Ctrl-C lets go of it, the next words interrupt it, Ctrl-D leaves", async () => {
  using chat = runAtTerminal("soma chat", { HOME: soma.home, SOMA_URL: api.url, SOMA_TOKEN: token });
  await chat.shows(/> $/);
  chat.type(`${release}\r`);
  const waiting = await chat.shows(/Somebody else has to decide: soma session approve \S+ apr_\w+/);
  const [, id = "", first = ""] = /approve (\S+) (apr_\w+)/.exec(waiting) ?? [];
  chat.type(interruptKey);
  await chat.shows(/Your next words interrupt this answer\.[^]*> $/);
  chat.type(`${release} Another one.\r`);
  const next = await chat.shows(/Somebody else has to decide: soma session approve \S+ apr_\w+/);
  assert.ok(!next.includes(first), next);
  {
    using asked = runAtTerminal(`soma session deny ${id}`, { HOME: approver.home, ...approving });
    await asked.shows(/Deny this\? \[y\/N\] $/);
    asked.type("y\r");
    await asked.shows(/apr_\w+ denied; /);
    assert.equal(await asked.ended(), 0);
  }
  await chat.shows(/approval\.denied: apr_\w+, by approver-demo[^]*turn 2 denied: .*\(APPROVAL_DENIED\)[^]*> $/);
  chat.type(`${deniedPrompt}\r`);
  await chat.shows(/POLICY_DENIED \(403\)[^]*> $/);
  chat.type("something that is taken back");
  chat.type(interruptKey);
  chat.type(endKey);
  await chat.shows(new RegExp(`The session stays open\\.\\s+go on: +soma chat ${id}`));
  assert.equal(await chat.ended(), 0);
  const outcomes = (await soma.run(["audit", "show", id])).stdout.match(/turn\.ended: .*/g);
  assert.deepEqual(
    outcomes?.map((line) => line.trim()),
    ["turn.ended: 1, interrupted, TURN_INTERRUPTED", "turn.ended: 2, denied, APPROVAL_DENIED"],
  );

  using joined = runAtTerminal(`soma chat ${id}`, { HOME: soma.home, SOMA_URL: api.url, SOMA_TOKEN: token });
  await joined.shows(/status +waiting_input[^]*> $/);
  assert.equal((await soma.run(["session", "terminate", id])).code, 0);
  joined.type("Are you there?\r");
  await joined.shows(/ACTION_NOT_ALLOWED[^]*The session has ended: failed\./);
  assert.equal(await joined.ended(), 0);
  assertExit(await soma.run(["chat", id]), 2, /for a person at a terminal/);
});

test("diagnose says why a session stands still; stop says first what it does, and then what it did; erase leaves no text", async () => {
  const rights = ["session.read", "session.stop", "subject.erase"];
  const variables = { SOMA_URL: api.url, SOMA_TOKEN: await api.token("admin-demo", rights) };
  const admin = openShell({ after }, variables);
  const id = await start(release);
  await reached(id, "waiting_approval");
  const why = await soma.run(["session", "diagnose", id]);
  assert.equal(why.code, 0, why.stderr);
  assert.match(why.stdout, /^status +waiting_approval$[^]*^waiting_approval since \S+\n {2}\S[^]*\n {2}next: \S/m);
  const all = ["stop", "--user", "user-demo", "--reason", "a drill"];
  assertExit(await admin.run(all), 2, /^This cancels every session of the user user-demo, [^]*repeat with --yes/);
  assertExit(await soma.run([...all, "--yes"]), 4, /FORBIDDEN/);
  assert.equal((await view(id)).status, "waiting_approval");
  const only = ["stop", "--session", id, "--reason", "a drill", "--yes", "--idempotency-key", `stop-${id}`];
  const stopped = await admin.run(only);
  assert.equal(stopped.code, 0, stopped.stderr + stopped.stdout);
  assert.match(stopped.stdout, /^stop +stop_\S+\nstopped +1 sessions\ntokens +\d+ revoked\n$/);
  assert.equal((await admin.run(only)).stdout, stopped.stdout);
  const reading = openShell(
    { after },
    { SOMA_URL: api.url, SOMA_TOKEN: await api.token("viewer-demo", ["session.read"]) },
  );
  assert.match((await reading.run(["session", "get", id])).stdout, /^status +canceled$/m);
  using asked = runAtTerminal("soma erase user-demo", { HOME: admin.home, ...variables });
  await asked.shows(/destroys the keys[^]*Erase user-demo for good\? \[y\/N\] $/);
  asked.type("y\r");
  await asked.shows(
    /erasure +erasure_\S+\s+user +user-demo of tenant-demo\s+sessions +\d+ ended\s+keys +[1-9]\d* destroyed\s+memory +there is none/,
  );
  assert.equal(await asked.ended(), 0);
});
