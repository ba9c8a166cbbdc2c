// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { colourful, judge, listPeriod, skewed, trusted, type Ages } from "../src/core/freshness";

const NOW = 1_800_000_000_000;
const at = (age_ms: number, more: Partial<Ages> = {}): Ages => ({ measured_at: NOW - age_ms, received_at: NOW - age_ms, period_ms: 1000, online: true, server_lost: false, ...more });

test("live to three periods, late to ten, stale after; limits exactly and one past [UC-1]", () => {
  assert.equal(judge(at(0), NOW).level, "live");
  assert.equal(judge(at(3000), NOW).level, "live");
  assert.equal(judge(at(3001), NOW).level, "late");
  assert.equal(judge(at(10_000), NOW).level, "late");
  assert.equal(judge(at(10_001), NOW).level, "stale");
});

test("parked is not faulty: the period comes from the mode", () => {
  assert.equal(judge(at(3_600_000, { period_ms: 3_600_000 }), NOW).level, "live");
  assert.equal(judge(at(3_600_000 * 11, { period_ms: 3_600_000 }), NOW).level, "stale");
});

test("offline comes from the link, whatever the age", () => {
  assert.equal(judge(at(0, { online: false }), NOW).level, "offline");
});

test("without contact to the server everything is stale", () => {
  assert.equal(judge(at(0, { server_lost: true }), NOW).level, "stale");
});

test("nothing ever received is never, not stale", () => {
  assert.equal(judge(at(0, { measured_at: null, received_at: null }), NOW).level, "never");
});

test("a board clock ahead of the server is not trusted, the server's time is used and said", () => {
  assert.equal(trusted(NOW + 5001, NOW), false);
  assert.equal(trusted(NOW + 5000, NOW), true);
  const f = judge(at(2000, { measured_at: NOW + 3_600_000 }), NOW);
  assert.deepEqual([f.by_server, f.age_ms, f.level], [true, 2000, "live"]);
});

test("state colour only while the values are live or late", () => {
  assert.deepEqual(["live", "late", "stale", "offline", "never"].map((l) => colourful(l as "live")), [true, true, false, false, false]);
});

test("the list waits for a record of samples, a parked one is longer", () => {
  assert.equal(listPeriod(1000, "driving"), 10_000);
  assert.equal(listPeriod(1000, "parked"), 60_000);
});

test("a delay that stays the same over eight frames is a clock that is behind; a backlog is not", () => {
  assert.equal(skewed([11_000, 11_100, 11_050, 11_010, 11_100, 11_000, 11_080, 11_020]), true);
  assert.equal(skewed([11_000, 11_100, 11_050, 11_010, 11_100, 11_000, 11_080]), false); // seven are not enough
  assert.equal(skewed([11_000, 10_000, 9000, 8000, 7000, 6000, 5000, 4000]), false); // melting
  assert.equal(skewed([90, 120, 80, 100, 95, 110, 100, 90]), false); // in time
  const f = judge(at(200, { measured_at: NOW - 11_000, skewed: true }), NOW);
  assert.deepEqual([f.level, f.by_server, f.age_ms], ["live", true, 200]);
});
