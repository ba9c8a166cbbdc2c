// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { moduleOf, scaleOf, stats } from "../src/data/cells";

test("all ties of both extremes are found [UC-2]", () => {
  const s = stats([3300, 3310, 3290, 3310, 3290, 3301]);
  assert.deepEqual(s?.maxAt, [2, 4]);
  assert.deepEqual(s?.minAt, [3, 5]);
  assert.equal(s?.spread, 20);
  assert.equal(s?.median, 3301); // (3300 + 3301) / 2, rounded
});

test("cells without a value count for nothing and are named [UC-2]", () => {
  const s = stats([3300, null, 3302, null]);
  assert.deepEqual(s?.missing, [2, 4]);
  assert.equal(s?.min, 3300);
  assert.equal(stats([null, null]), null);
  assert.equal(stats([]), null);
});

test("a healthy pack looks flat: the scale is at least ±10 mV and symmetric", () => {
  assert.equal(scaleOf(stats([3300, 3301])!), 10);
  assert.equal(scaleOf(stats([3300, 3300, 3310])!), 10);
  assert.equal(scaleOf(stats([3300, 3300, 3311])!), 20);
  assert.equal(scaleOf(stats([3300, 3300, 3240])!), 100);
});

test("property: no bar leaves the scale", () => {
  for (let i = 0; i < 500; i++) {
    const cells = Array.from({ length: 1 + (i % 160) }, (_, k) => (i * 7919 + k * 104729) % 5001);
    const s = stats(cells)!;
    assert.ok(Math.max(s.max - s.median, s.median - s.min) <= scaleOf(s));
  }
});

test("a cell is found in its module, first and last", () => {
  const layout = [{ first_cell: 1, cells: 48 }, { first_cell: 49, cells: 16 }];
  assert.deepEqual([1, 48, 49, 64, 65].map((c) => moduleOf(layout, c)), [0, 0, 1, 1, -1]);
});
