import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { canonicalJson, sha256 } from "@soma/kit/digest";
import * as fc from "fast-check";
import { verify } from "../../../../scripts/soma-verify.ts";
import { chained, changed, contents, seeded, subject, told, type Loose } from "./damaged-ledgers.ts";
import { steeringGoods, steeringSeeds } from "./damaged-steering.ts";
import { canonicalInPython, verifyInPython, type Verdict } from "./python-verifier.ts";
import { openingOf } from "./sample-events.ts";
import { openTemporaryLedger } from "./sqlite-store.ts";
import { steeredCreated, steeredTold } from "./steered-session.ts";
import { tenantSeeds } from "./damaged-tenants.ts";
import { tenantCreated, tenantStory } from "./sample-tenants.ts";

/** The events of a session as the real ledger gave them out, written at a time when its decisions hold. */
async function exported(opening = openingOf(subject), events = told): Promise<Loose[]> {
  await using store = await openTemporaryLedger({ now: () => new Date("2026-03-01T00:00:00.000Z") });
  await store.ledger.openSession(opening);
  for (const event of events.slice(1)) await store.ledger.append([event]);
  const key = { tenant: subject.tenant, sessionId: subject.session_id };
  return structuredClone([...(await store.ledger.readEvents({ ...key, after: 0, limit: 100 }))]);
}

/** A session with everything that steers one. */
async function exportedSteered(): Promise<Loose[]> {
  return exported({ ...openingOf(subject), created: steeredCreated }, steeredTold);
}

/** The events of a tenant's own ledger as the real one gave them out. */
async function exportedTenant(): Promise<Loose[]> {
  await using store = await openTemporaryLedger();
  await store.ledger.tenants.append({ events: [tenantCreated("tenant-a"), ...tenantStory("tenant-a")] });
  return structuredClone([...(await store.ledger.tenants.readEvents({ tenant: "tenant-a", after: 0, limit: 100 }))]);
}

/** What both must say alike. */
function essence(verdict: Verdict | undefined) {
  if (verdict === undefined) return "cannot be read";
  const { ok, tenant, session, counts, last, ended, violations, notes } = verdict;
  const places = violations.map(({ check, seq }) => `${check} ${seq}`).toSorted();
  return { ok, tenant, session, counts, last, ended, violations: places, notes: notes.toSorted() };
}

function verifyHere(text: string, head?: string): Verdict | undefined {
  try {
    return verify(text, head);
  } catch {
    return undefined;
  }
}

/** Both verdicts on each input; they must agree. */
function agreedOn(inputs: readonly (readonly [text: string, head?: string])[]) {
  const here = inputs.map((input) => essence(verifyHere(...input)));
  const there = verifyInPython(inputs).map(essence);
  for (const [index, verdict] of there.entries()) assert.deepEqual(verdict, here[index], inputs[index]?.[0]);
  return here;
}

function found(verdict: ReturnType<typeof essence> | undefined): readonly string[] {
  return typeof verdict === "object" ? verdict.violations : ["cannot be read"];
}

describe("a second verifier, written from docs/reference/ledger-format.md", () => {
  test("says of what the real ledger exports what the first says: it holds", async () => {
    const events = await exported();
    const lines = events.map((event) => JSON.stringify(event)).join("\n");
    const head = String(events.at(-1)?.["hash"]);
    const forms: [string, string?][] = [
      [JSON.stringify({ events, contents }), head],
      [JSON.stringify(events, undefined, 2)],
      [`\n${lines}\n \t\r\n`],
      [JSON.stringify({ events: events.slice(0, 6), contents: {}, next_after: 6, session_id: "sess-1" })],
      [JSON.stringify(events[0], undefined, 1)],
    ];
    for (const verdict of agreedOn(forms)) assert.deepEqual(found(verdict), []);
  });

  test("finds each seeded damage where the first finds it", async () => {
    const events = await exported();
    const damaged = seeded.map(([, seed]): [string] => [JSON.stringify(seed(structuredClone(events)))]);
    const verdicts = agreedOn(damaged);
    for (const [index, [title, , ...expected]] of seeded.entries())
      assert.deepEqual([...new Set(found(verdicts[index]))].toSorted(), expected.toSorted(), title);
  });

  test("finds each damage to a session that was steered where the first finds it, and none where there is none", async () => {
    const events = await exportedSteered();
    const seeds = [...steeringGoods.map(([title, seed]) => [title, seed] as const), ...steeringSeeds];
    const verdicts = agreedOn(seeds.map(([, seed]): [string] => [JSON.stringify(seed(structuredClone(events)))]));
    for (const [index, [title, , ...expected]] of seeds.entries())
      assert.deepEqual([...new Set(found(verdicts[index]))].toSorted(), expected.toSorted(), title);
    const texts = ["hello", "hello, world", "world", "and then?", "[]", "wait"];
    const named = Object.fromEntries(texts.map((text) => [sha256(text), text]));
    assert.deepEqual(agreedOn([[JSON.stringify({ events, contents: named })]]).map(found), [[]]);
  });

  test("judges a ledger that begins behind a gap by what is left, and notes what it cannot judge", async () => {
    const events = await exportedSteered();
    const behind = (to: number, gap: object = {}): string => {
      const hash = events[to - 1]?.["hash"];
      return JSON.stringify({ gap: { from: 1, to, hash, ...gap }, events: events.slice(to) });
    };
    const cuts = Array.from({ length: events.length - 1 }, (_, index): [string] => [behind(index + 1)]);
    for (const verdict of agreedOn(cuts)) {
      assert.deepEqual(found(verdict), []);
      assert.ok(typeof verdict === "object" && verdict.notes.some((note) => /were cut/.test(note)));
    }
    const lines = (gap: object, left = events.slice(8)): string =>
      [{ gap: { from: 1, to: 8, hash: events[7]?.["hash"], ...gap } }, ...left]
        .map((one) => JSON.stringify(one))
        .join("\n");
    assert.deepEqual(agreedOn([[lines({})]]), agreedOn([[behind(8)]]), "a gap may be the first of an export's lines");
    assert.deepEqual(agreedOn([[lines({ hash: "x" })], [lines({}, [])]]).map(found), [
      ["cannot be read"],
      ["cannot be read"],
    ]);
    const [noDecision] = agreedOn([[behind(8)]]);
    assert.ok(typeof noDecision === "object");
    assert.deepEqual(
      noDecision.notes.filter((note) => note.startsWith("at 9")),
      [
        "at 9, approval: what is needed may be among the events that were cut",
        "at 9, permit: what is needed may be among the events that were cut",
      ],
    );
    const denied = changed(8, (event) => (event.data["allowed"] = false))(structuredClone(events));
    const damaged = agreedOn([
      [behind(10, { hash: sha256("x") })],
      [behind(10, { to: 11 })],
      [JSON.stringify({ gap: { from: 1, to: 7, hash: denied[6]?.["hash"] }, events: denied.slice(7) })],
      [JSON.stringify({ gap: { from: 1, to: 1, hash: events[0]?.["hash"] }, events })],
      ...[{ to: 0 }, { from: 0 }, { hash: "x" }, { to: "10" }, { from: 11 }].map((gap): [string] => [behind(10, gap)]),
    ]);
    assert.deepEqual(damaged.map(found).slice(0, 3), [["chain 11"], ["sequence 11"], ["permit 9"]]);
    assert.deepEqual(found(damaged[3]).slice(0, 2), ["chain 1", "sequence 1"]);
    assert.deepEqual(
      damaged.slice(4).map(found),
      Array.from({ length: 5 }, () => ["cannot be read"]),
    );
  });

  test("finds contents that were changed, that nothing names, that are no text, and a tail that was cut off", async () => {
    const events = await exported();
    const head = String(events.at(-1)?.["hash"]);
    const bring = (more: object): string => JSON.stringify({ events, contents: { ...contents, ...more } });
    const verdicts = agreedOn([
      [bring({ [sha256("hello")]: "hallo" })],
      [bring({ [sha256("stray")]: "stray" })],
      [bring({ [sha256("hello")]: 1 })],
      [bring({ "": "\ud800" })],
      [JSON.stringify(events.slice(0, 6)), head],
    ]);
    assert.deepEqual(verdicts.map(found), [["content 8"], ["content 8"], ["content 8"], ["content 8"], ["chain 6"]]);
  });

  test("judges a tenant's own ledger, and each damage to one, as the first does", async () => {
    const events = await exportedTenant();
    const [whole, ...damaged] = agreedOn([
      [JSON.stringify({ tenant: "tenant-a", events }), String(events.at(-1)?.["hash"])],
      ...tenantSeeds.map(([, seed]): [string] => [JSON.stringify(seed(structuredClone(events)))]),
    ]);
    assert.deepEqual(found(whole), []);
    assert.ok(typeof whole === "object" && whole.session === "tenant:tenant-a" && whole.notes.length === 0);
    for (const [index, [title, , ...expected]] of tenantSeeds.entries())
      assert.deepEqual([...new Set(found(damaged[index]))].toSorted(), expected.toSorted(), title);
  });

  test("cannot read what the first cannot read", async () => {
    const [first = {}] = await exported();
    const line = JSON.stringify(first);
    const unreadable = [
      "",
      " \n",
      "[]",
      "[1]",
      "1",
      "null",
      "{",
      `${line}\n1`,
      `${line}\n{`,
      `\ufeff${line}`,
      '[{"a":NaN}]',
    ];
    const documents = [
      '{"events":null}',
      '{"events":[]}',
      `{"events":[${line}],"contents":null}`,
      `[${line}]\n[${line}]`,
    ];
    for (const verdict of agreedOn([...unreadable, ...documents].map((text) => [text] as const)))
      assert.equal(verdict, "cannot be read");
  });

  for (const [kind, exportIt] of [
    ["a plain session", exported],
    ["a session that was steered", exportedSteered],
  ] as const)
    test(`agrees on ${kind} with any member of any event replaced, removed or added`, async (context) => {
      const events = await exportIt();
      const value = fc.oneof(
        fc.constantFrom(
          null,
          true,
          false,
          "",
          0,
          1,
          2.5,
          -1,
          3,
          1e300,
          [],
          {},
          "\ud800",
          "é\u2028",
          sha256("hello"),
          92,
          2 ** 53,
          "approver",
          { tokens: 1 },
        ),
        fc.jsonValue({ maxDepth: 2 }),
      );
      const name = fc.oneof(
        fc.constantFrom(
          ...Object.keys(events[1] ?? {}),
          ...new Set(events.flatMap(({ data }) => Object.keys(data))),
          "traceparent",
          "toString",
        ),
        fc.string({ maxLength: 5 }),
      );
      const change = fc.record({
        event: fc.nat(events.length - 1),
        inside: fc.boolean(),
        name,
        value: fc.option(value, { nil: undefined }),
        again: fc.boolean(),
      });
      const cases = fc.sample(fc.array(change, { minLength: 1, maxLength: 3 }), {
        numRuns: 400,
        seed: seedOfRun(context),
      });
      const inputs = cases.map((changes): [string] => {
        const copy = structuredClone(events);
        for (const { event, inside, name: member, value: given, again } of changes) {
          const target = copy[event];
          if (target === undefined) continue;
          const place: unknown = inside ? target.data : target;
          if (typeof place !== "object" || place === null || Array.isArray(place)) continue;
          const text = JSON.stringify(given);
          Object.defineProperty(place, member, { value: given, enumerable: true, configurable: true, writable: true });
          if (again && text?.isWellFormed()) rehashOrLeave(target);
        }
        return [JSON.stringify(copy)];
      });
      const verdicts = agreedOn(inputs);
      assert.ok(
        verdicts.filter((verdict) => typeof verdict === "object" && !verdict.ok).length > 300,
        "hardly any damage",
      );
    });

  test("agrees on a session that was steered with any events left out, doubled, moved or made another's", async (context) => {
    const events = await exportedSteered();
    const types = [...new Set(events.map((event) => event["type"]))];
    const place = fc.nat(events.length - 1);
    const change = fc.record({ what: fc.constantFrom("drop", "double", "move", "retype"), place, to: place });
    const cases = fc.sample(fc.array(change, { minLength: 1, maxLength: 3 }), {
      numRuns: 400,
      seed: seedOfRun(context),
    });
    const inputs = cases.map((changes): [string] => {
      let copy = structuredClone(events);
      for (const { what, place: from, to } of changes) {
        const chosen = copy[from];
        if (chosen === undefined) continue;
        if (what === "drop" || what === "move") copy = copy.toSpliced(from, 1);
        if (what === "double" || what === "move") copy = copy.toSpliced(to, 0, structuredClone(chosen));
        if (what === "retype") Object.assign(chosen, { type: types[to % types.length] });
      }
      return [JSON.stringify(chained(copy))];
    });
    const damaged = agreedOn(inputs).filter((verdict) => typeof verdict === "object" && !verdict.ok);
    assert.ok(damaged.length > 300, "hardly any damage");
  });

  test("writes the canonical form of any JSON as the library does that the ledger uses", (context) => {
    const values = fc.sample(
      fc.oneof(fc.jsonValue(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string({ unit: "binary" })),
      { numRuns: 1000, seed: seedOfRun(context) },
    );
    // RFC 8785, appendix B, and the borders of each notation.
    const numbers = [
      0, -0, 5e-324, 1.7976931348623157e308, 9007199254740992, 295147905179352830000, 1e21, 1e23, 1e-6, 1e-7,
    ];
    const more = [
      999999999999999900000,
      333333333.3333333,
      0.000001,
      123e-20,
      -1e-7,
      { "\ufb33": 1, "\u{1f600}": 2, "\r": 3 },
    ];
    const texts = [...values, ...numbers, ...more].map((value) => JSON.stringify(value));
    const expected = texts.map((text) => {
      const value: unknown = JSON.parse(text);
      return canonicalOrNothing(value);
    });
    assert.deepEqual(canonicalInPython([...texts, "1.0", "1E400", '"\\ud800"']), [
      ...expected,
      "1",
      undefined,
      undefined,
    ]);
  });
});

function canonicalOrNothing(value: unknown): string | undefined {
  try {
    return canonicalJson(value);
  } catch {
    return undefined;
  }
}

/** As a forger would, where there is a canonical form. */
function rehashOrLeave(event: Loose): void {
  const canonical = canonicalOrNothing({ ...event, hash: undefined });
  if (canonical !== undefined) event["hash"] = sha256(canonical);
}

/** Another one for each run, and said, so that a failure can be seen again. */
function seedOfRun(context: TestContext): number {
  const seed = Date.now() % 2 ** 31;
  context.diagnostic(`seed ${seed}`);
  return seed;
}
