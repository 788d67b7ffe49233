import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "@soma/client/client";
import type { SessionView } from "@soma/client/shapes";
import { openShell } from "../../apps/cli/test/run-soma.ts";
import { endKey, interruptKey, runAtTerminal } from "../../apps/cli/test/run-at-terminal.ts";
import { runShell } from "../../apps/cli/test/shells.ts";
import { apiOf } from "../harness/api.ts";
import { startCuttingProxy } from "../harness/cutting-proxy.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";

const { orchestrator: url } = stackUnderTest().urls;
const who = ["--url", url, "--tenant", "tenant-demo", "--user", "user-demo"];

test("start --watch: the answer on standard output and nothing else, the progress on standard error", async (context) => {
  const { code, stdout, stderr } = await openShell(context).run(["session", "start", "Say hello.", "--watch", ...who]);
  assert.equal(code, 0, stderr);
  const [, id = ""] = /^session (\S+)\n/.exec(stderr) ?? [];
  const { result } = await apiOf(url).view(id);
  assert.equal(stdout, `${result?.text ?? "nothing"}\n`);
  assert.match(stderr, /\n {2}1 {2}session\.created\n[^]*effect\.completed[^]*\ncompleted, \d+ tokens/);
});

test("start --watch --json: each event and piece a line, the session last", async (context) => {
  const { code, stdout } = await openShell(context).run([
    "session",
    "start",
    "Count to five.",
    "--watch",
    "--json",
    ...who,
  ]);
  assert.equal(code, 0);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line): { kind: string; delta?: { text: string }; session?: SessionView } => JSON.parse(line));
  assert.equal(lines[0]?.kind, "started");
  const session = lines.at(-1)?.session;
  assert.equal(lines.filter(({ kind }) => kind === "event").length, session?.last_seq);
  assert.equal(lines.map(({ delta }) => delta?.text ?? "").join(""), session?.result?.text);
});

test("on a terminal the answer grows as it is made, in colours unless NO_COLOR is set", () => {
  const command = `script -qec 'soma session start "Say yes." --watch ${who.join(" ")}' /dev/null </dev/null`;
  const coloured = runShell("bash", command);
  assert.equal(coloured.status, 0, coloured.stdout);
  assert.ok(coloured.stdout.includes("\u001B[32mcompleted"), coloured.stdout);
  const plain = runShell("bash", command, { NO_COLOR: "1" });
  assert.match(plain.stdout, /completed, \d+ tokens/);
  assert.ok(!plain.stdout.includes("\u001B["), plain.stdout);
});

test("say: what is said in a conversation is answered on standard output, and its pieces are the answer's text", async (context) => {
  const soma = openShell(context);
  const place = ["--url", url, "--tenant", "tenant-demo"];
  const first = await soma.run(["session", "start", "Say hello.", "--interactive", "--watch", ...who]);
  assert.equal(first.code, 0, first.stderr);
  const [, id = ""] = /^session (\S+)\n/.exec(first.stderr) ?? [];
  assert.equal(first.stdout, `${(await apiOf(url).view(id)).result?.text ?? "nothing"}\n`);
  assert.match(first.stderr, /\nturn 1 answered, \d+ tokens of \S+\n$/);
  const said = await soma.run(["session", "say", id, "Count to three.", ...place, "--json"]);
  assert.equal(said.code, 0, said.stderr);
  const lines = said.stdout
    .trim()
    .split("\n")
    .map((line): { kind: string; delta?: { text: string }; session?: SessionView } => JSON.parse(line));
  assert.equal(lines.map(({ delta }) => delta?.text ?? "").join(""), lines.at(-1)?.session?.result?.text);
  const last = await soma.run(["session", "say", id, "Thank you.", "--final", ...place]);
  assert.equal(last.code, 0, last.stderr);
  const { turn, result } = await apiOf(url).view(id);
  assert.deepEqual([turn, last.stdout], [3, `${result?.text ?? "nothing"}\n`]);
});

test("chat: an answer grows as it is made; let go of, it is interrupted by the next words, and that answer is shown", async (context) => {
  const { home } = openShell(context);
  using chat = runAtTerminal(`soma chat --url ${url} --tenant tenant-demo --user user-demo`, { HOME: home });
  await chat.shows(/> $/);
  chat.type("Write a very long story about a lighthouse keeper, with many chapters.\r");
  const begun = await chat.shows(/session \S+\s+\S[^]{80}/);
  chat.type(interruptKey);
  await chat.shows(/Your next words interrupt this answer\.\s+> $/);
  chat.type("Say one word.\r");
  await chat.shows(/turn 2 answered, \d+ tokens of \S+\s+> $/);
  chat.type(endKey);
  await chat.shows(/The session stays open\./);
  assert.equal(await chat.ended(), 0);
  const [, id = ""] = /session (\S+)/.exec(begun) ?? [];
  const { turn, status } = await apiOf(url).view(id);
  assert.deepEqual([turn, status], [2, "waiting_input"]);
});

test("a session whose stream is cut again and again while the answer is made is still followed without a gap", async (context) => {
  const proxy = await startCuttingProxy(context, url);
  const soma = createClient({ baseUrl: proxy.url, tenant: "tenant-demo" });
  const { session_id: id } = await soma.startSession({
    tenant: "tenant-demo",
    user: "user-demo",
    prompt: "Explain in a few sentences what a ledger is.",
  });
  // Each connection ends within what follows its first event, or its fifth piece of the answer.
  proxy.cut = (answer) => {
    const text = answer.toString("latin1");
    const [event, piece] = [/\nid: .*\n.*\n.*\n\n/.exec(text), /(?:event: delta[^]*?\n\n[^]*?){5}/.exec(text)];
    const ends = [event, piece].flatMap((found) => (found ? [found.index + found[0].length + 20] : []));
    return ends.find((end) => answer.length >= end);
  };
  const sequences: number[] = [];
  for await (const update of soma.watchSession(id)) if (update.kind === "event") sequences.push(update.event.sequence);
  proxy.cut = () => undefined;
  const { status, last_seq } = await soma.getSession(id);
  assert.equal(status, "completed");
  assert.deepEqual(
    sequences,
    Array.from({ length: last_seq }, (_, index) => index + 1),
  );
  assert.ok(proxy.connections > 6, `${String(proxy.connections)} connections`);
});
