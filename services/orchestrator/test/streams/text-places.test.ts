import assert from "node:assert/strict";
import { test } from "node:test";
import type { Delta } from "@soma/contracts/session-stream";
import * as fc from "fast-check";
import { growthOf, missed, type RunningText } from "../../src/streams/text-growth.ts";
import { readTextPlace, TextPlaces } from "../../src/streams/text-places.ts";

const step = "completion-1";

/** What a reader holds of a step's text. */
class Reader {
  attempt = 0;
  text = "";

  take(delta: Delta): void {
    assert.ok(delta.attempt >= this.attempt, "an attempt never goes back");
    if (delta.attempt > this.attempt) this.text = "";
    this.attempt = delta.attempt;
    assert.equal(delta.offset, this.text.length, "no gap and no repeat");
    this.text += delta.text;
  }

  place(): TextPlaces {
    if (this.attempt === 0) return new TextPlaces();
    return new TextPlaces(readTextPlace(`${step}:${String(this.attempt)}:${String(this.text.length)}`));
  }
}

const texts = fc.string({ unit: fc.constantFrom("a", "b", "🙂"), maxLength: 12 });
const happening = fc.oneof(
  fc.record({ kind: fc.constant("grows" as const), by: texts }),
  fc.record({ kind: fc.constant("begins" as const), with: texts }),
  fc.record({ kind: fc.constant("reconnects" as const) }),
  fc.record({ kind: fc.constant("is away" as const) }),
  fc.record({ kind: fc.constant("looks" as const) }),
);

test("whatever happens while a text is made, a reader's last attempt joined is the text that it ended with", () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 20 }), fc.boolean(), texts, (happenings, honest, another) => {
      const reader = new Reader();
      let places = new TextPlaces();
      places.admit(step);
      let running: RunningText | undefined;
      let listening = true;
      const tell = (piece: Delta): void => {
        const growth = growthOf(running, piece);
        assert.notEqual(growth, missed);
        if (growth === undefined || growth === missed) return;
        const text = growth.offset === 0 ? growth.text : (running?.text ?? "") + growth.text;
        running = { attempt: growth.attempt, text };
        if (listening && places.takes(growth)) reader.take(growth);
      };
      for (const one of happenings) {
        const known: RunningText = running ?? { attempt: 2, text: "" };
        if (one.kind === "grows") tell({ step, attempt: known.attempt, offset: known.text.length, text: one.by });
        if (one.kind === "begins") tell({ step, attempt: known.attempt + 1, offset: 0, text: one.with });
        if (one.kind === "is away") listening = false;
        if (one.kind === "reconnects" || one.kind === "looks") {
          if (one.kind === "reconnects") places = reader.place();
          places.admit(step);
          listening = true;
          for (let delta = running && places.next(step, running); delta; delta = places.next(step, known))
            reader.take(delta);
        }
      }
      const made: RunningText = running ?? { attempt: 2, text: "" };
      // An attempt that was given up for dead, and that told nothing here, may be the one that ended the step.
      const final = honest ? { step, ...made } : { step, attempt: 1, text: another };
      const lacks = places.lacksRestOf(final, running);
      const rest = places.rest(final, running);
      assert.equal(lacks, rest.length > 0);
      for (const delta of rest) reader.take(delta);
      assert.equal(reader.text, final.text);
    }),
    { numRuns: 1_000 },
  );
});

test("a reader who comes back after the end gets the rest of the same attempt, and all of another", () => {
  const final = { step, attempt: 2, text: "Hello" };
  const restAfter = (place: string): Delta[] => new TextPlaces(readTextPlace(place)).rest(final);
  assert.deepEqual(restAfter(`${step}:2:2`), [{ step, attempt: 2, offset: 2, text: "llo" }]);
  assert.deepEqual(restAfter(`${step}:2:5`), []);
  assert.deepEqual(restAfter(`${step}:1:4`), [{ step, attempt: 2, offset: 0, text: "Hello" }]);
  assert.deepEqual(restAfter(`${step}:3:4`), [{ step, attempt: 4, offset: 0, text: "Hello" }]);
  assert.deepEqual(restAfter(`${step}:2:6`), [{ step, attempt: 3, offset: 0, text: "Hello" }]);
  assert.deepEqual(restAfter("completion-2:1:3"), [{ step, attempt: 2, offset: 0, text: "Hello" }]);
});

test("a long text comes in pieces that a bounded reader can take, cut between characters", () => {
  const text = "🙂".repeat(100_000);
  const pieces = new TextPlaces().rest({ step, attempt: 1, text });
  assert.equal(pieces.map((piece) => piece.text).join(""), text);
  assert.ok(pieces.every((piece) => piece.text.length <= 65_536 && piece.text.isWellFormed()));
});

test("what is no place in a text is refused", () => {
  for (const wrong of ["", "a:1", "a:0:1", "a:1:-1", "a:1:1:1", "a b:1:1", `a:1:${"9".repeat(10)}`])
    assert.throws(() => readTextPlace(wrong), TypeError, wrong);
});
