import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventData, genesisHash } from "@soma/contracts/audit";
import { tenantEventData } from "@soma/contracts/tenant-events";
import { sha256 } from "@soma/kit/digest";
import { verify } from "../../../../scripts/soma-verify.ts";
import { eventTypes } from "../../../../scripts/verify/format.ts";
import { sealEvent } from "../../src/ledger/event-chain.ts";
import { at, chained, contents, more, seeded, story, subject, told } from "./damaged-ledgers.ts";
import { steeringGoods, steeringSeeds } from "./damaged-steering.ts";
import { unavailableEvent } from "./sample-events.ts";
import { temporaryFolder } from "./sqlite-store.ts";
import { steeredTold } from "./steered-session.ts";

describe("soma-verify", () => {
  test("a whole session passes, as does each kind of event that the ledger knows", () => {
    const result = verify(JSON.stringify({ events: story(), contents }));
    assert.deepEqual(result.violations, []);
    assert.deepEqual(result.notes, []);
    assert.deepEqual(result.counts, { events: 8, decisions: 2, effects: 2, contents: 2 });
    assert.deepEqual([...eventTypes.session].toSorted(), Object.keys(eventData).toSorted());
    assert.deepEqual([...eventTypes.tenant].toSorted(), Object.keys(tenantEventData).toSorted());
  });

  const damages = [
    { damage: seeded, told },
    { damage: steeringSeeds, told: steeredTold },
  ].flatMap(({ damage, told: events }) => damage.map((one) => ({ one, events })));
  for (const { one, events } of damages) {
    const [title, seed, ...found] = one;
    test(`finds ${title}`, () => {
      const { ok, violations } = verify(JSON.stringify(seed(story(events))));
      assert.equal(ok, false);
      assert.deepEqual(
        [...new Set(violations.map(({ check, seq }) => `${check} ${seq}`))].toSorted(),
        found.toSorted(),
      );
    });
  }

  for (const [title, seed] of steeringGoods) {
    test(`finds nothing in a session that was steered: ${title}`, () => {
      const { violations, notes } = verify(JSON.stringify(seed(story(steeredTold))));
      assert.deepEqual([violations, notes], [[], []]);
    });
  }

  test("finds a content that was changed and one that nothing names", () => {
    const wrong = { ...contents, [sha256("hello")]: "hallo", [sha256("stray")]: "stray" };
    const { violations } = verify(JSON.stringify({ events: story(), contents: wrong }));
    assert.deepEqual(
      violations.map(({ check }) => check),
      ["content", "content"],
    );
  });

  test("finds a tail that was cut off when the head is known, and says what is open", () => {
    const events = story();
    const head = String(at(events, 8)["hash"]);
    assert.equal(verify(JSON.stringify(events), head).ok, true);
    const cut = verify(JSON.stringify(events.slice(0, 6)), head);
    assert.deepEqual(
      cut.violations.map(({ check }) => check),
      ["chain"],
    );
    assert.match(cut.notes.join("; "), /not ended.*intended at 6 has no outcome/);
  });

  test("an effect that was decided and intended anew before it had an outcome passes", () => {
    const again = more(more(story(), 4, "step-1/policy.decided/2", 2), 5, "step-1/effect.intended/2", 3);
    for (const sequence of [4, 5]) at(again, sequence).data["decision_id"] = "decision-2";
    assert.deepEqual(verify(JSON.stringify(chained(again))).violations, []);
  });

  test("an open session with an outage passes", () => {
    const events = story().slice(0, 1);
    const place = { sequence: 2, prevhash: genesisHash, time: "2026-03-01T00:00:00.000Z" };
    const outage = structuredClone(sealEvent(unavailableEvent(subject, "outage-1"), place).event);
    assert.deepEqual(verify(JSON.stringify(chained([...events, outage]))).violations, []);
  });
});

describe("soma-verify on the command line", () => {
  const script = fileURLToPath(new URL("../../../../scripts/soma-verify.ts", import.meta.url));
  const run = (args: readonly string[], input = "") =>
    spawnSync(process.execPath, [script, ...args], { input, encoding: "utf8", timeout: 20_000 });

  test("reads each form of export, from a file and from standard input", async () => {
    await using folder = await temporaryFolder();
    const events = story();
    const forms = [
      JSON.stringify(events),
      JSON.stringify({ session_id: "sess-1", events, contents }),
      `${events.map((event) => JSON.stringify(event)).join("\n")}\n`,
    ];
    for (const form of forms) {
      const { status, stdout } = run(["-"], form);
      assert.equal(status, 0, stdout);
      assert.match(stdout, /Everything holds\./);
    }
    const file = `${folder.path}/export.ndjson`;
    await writeFile(file, forms[2] ?? "");
    const { status, stdout } = run(["--json", file]);
    assert.equal(status, 0);
    const report: unknown = JSON.parse(stdout);
    assert.ok(typeof report === "object" && report !== null && "ok" in report && report.ok === true);
  });

  test("exit code 1 names the place; nothing of the file reaches the terminal as a command", () => {
    const events = story();
    Object.assign(at(events, 3), { subject: "sess-\u001b[2J" });
    const { status, stdout } = run(["-"], JSON.stringify(events));
    assert.equal(status, 1);
    assert.match(stdout, /at 3: /);
    assert.equal(stdout.includes("\u001b"), false);
  });

  test("exit code 2 for what cannot be read", () => {
    for (const [args, input] of [
      [["-"], "not json"],
      [["-"], "[]"],
      [["-"], "[1]"],
      [["/nowhere/at/all"], ""],
      [[], ""],
    ] as const) {
      const { status, stderr } = run(args, input);
      assert.equal(status, 2);
      assert.match(stderr, /^soma-verify: /);
    }
  });
});
