import assert from "node:assert/strict";
import { test } from "node:test";
import { array, assert as assertProperty, integer, property } from "fast-check";
import { Slots } from "../src/limits/slots.ts";
import { StrangerLimits } from "../src/limits/stranger-limits.ts";
import { TokenBuckets } from "../src/limits/token-bucket.ts";

test("a bucket holds ten seconds' worth and is filled all the time", () => {
  let now = 0;
  const buckets = new TokenBuckets({ maxKeys: 10, clock: () => now });
  for (let taken = 0; taken < 200; taken += 1) assert.equal(buckets.take("a", 1_200), 0);
  assert.equal(buckets.take("a", 1_200), 50);
  assert.equal(buckets.take("b", 1_200), 0, "another tenant has its own");
  now = 50;
  assert.equal(buckets.take("a", 1_200), 0);
  assert.ok(buckets.take("a", 1_200) > 0);
});

test("a small minute may be spent at once", () => {
  const buckets = new TokenBuckets({ maxKeys: 10, clock: () => 0 });
  for (let taken = 0; taken < 3; taken += 1) assert.equal(buckets.take("a", 3), 0);
  assert.equal(buckets.take("a", 3), 20_000);
});

test("in no minute more pass than a minute's requests and what the bucket holds", () => {
  assertProperty(
    property(
      integer({ min: 1, max: 6_000 }),
      array(integer({ min: 0, max: 2_000 }), { maxLength: 300 }),
      (perMinute, pauses) => {
        let now = 0;
        const buckets = new TokenBuckets({ maxKeys: 10, clock: () => now });
        let passed = 0;
        for (const pause of pauses) {
          now += pause;
          if (buckets.take("a", perMinute) === 0) passed += 1;
        }
        const holds = Math.min(perMinute, Math.max(20, Math.floor(perMinute / 6)));
        assert.ok(passed <= holds + (now / 60_000) * perMinute + 1e-6);
      },
    ),
  );
});

test("who is told when to come again is let in then", () => {
  assertProperty(
    property(integer({ min: 1, max: 100_000 }), (perMinute) => {
      let now = 0;
      const buckets = new TokenBuckets({ maxKeys: 10, clock: () => now });
      let waitMs = 0;
      while (waitMs === 0) waitMs = buckets.take("a", perMinute);
      now += waitMs + 1e-6;
      assert.equal(buckets.take("a", perMinute), 0);
    }),
  );
});

test("keys are bounded: the one used least lately is forgotten", () => {
  const buckets = new TokenBuckets({ maxKeys: 3, clock: () => 0 });
  for (const key of ["a", "b", "c"]) buckets.take(key, 1);
  buckets.take("a", 1);
  buckets.take("d", 1);
  assert.equal(buckets.size, 3);
  assert.ok(buckets.take("a", 1) > 0, "still known");
  assert.equal(buckets.take("b", 1), 0, "forgotten");
});

test("an IPv6 network is one stranger, an IPv4 address another, however it is written", () => {
  const limits = new StrangerLimits(1, () => 0);
  assert.equal(limits.take("2001:db8:1:2:3:4:5:6"), 0);
  assert.ok(limits.take("2001:db8:1:2::9") > 0);
  assert.equal(limits.take("2001:db8:1:3::9"), 0);
  assert.equal(limits.take("::1"), 0);
  assert.equal(limits.take("192.0.2.1"), 0);
  assert.ok(limits.take("::ffff:192.0.2.1") > 0);
  assert.equal(limits.take("192.0.2.2"), 0);
  limits.giveBack("192.0.2.2");
  assert.equal(limits.take("192.0.2.2"), 0);
});

test("places are bounded for each and for all, and given back once", () => {
  const slots = new Slots(3);
  const leave = slots.enter("a", 2);
  assert.ok(leave);
  assert.ok(slots.enter("a", 2));
  assert.equal(slots.enter("a", 2), undefined);
  assert.ok(slots.enter("b", 2));
  assert.equal(slots.enter("b", 2), undefined, "all places are taken");
  leave();
  leave();
  assert.equal(slots.all, 2);
  assert.ok(slots.enter("b", 2));
  assert.equal(slots.enter("c", 2), undefined);
});
