// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { History } from "../src/core/types";
import { charts, lines, summary } from "../src/data/history";

const h: History = {
  from: 0, to: 4000, step_ms: 1000, t: [0, 1000, 2000, 3000],
  series: {
    cell_min_mV: { unit: "mV", min: [3000, null, 2990, 3001], mean: [3001, null, 2995, 3002], max: [3002, null, 3000, 3003], count: [10, 0, 10, 1] },
    cell_max_mV: { unit: "mV", min: [3010, null, 3010, 3010], mean: [3011, null, 3011, 3011], max: [3012, null, 3100, 3012], count: [10, 0, 10, 1] },
  },
};
const cells = charts(null)[0]!;

test("a bucket without samples stays a gap, it is not bridged", () => {
  const l = lines(h, cells);
  assert.deepEqual([l.low[1], l.high[1], l.means[0]?.[1]], [null, null, null]);
});

test("the band goes from the lowest of the lowest to the highest of the highest: a spike of one sample stays visible", () => {
  assert.deepEqual(summary(lines(h, cells)), { min: 2990, max: 3100, samples: 21 });
});

test("a span without any sample has no summary", () => {
  assert.equal(summary(lines({ ...h, series: {} }, cells)), null);
});

test("one request holds at most 8 series, and only series that there are", () => {
  assert.ok(charts("cell_47_mV").flatMap((c) => c.series).length <= 8);
  assert.equal(charts("cell_47_mV")[0]?.key, "cell_47_mV");
  for (const bad of ["cell_x_mV", "a,b", "../x", ""]) assert.equal(charts(bad)[0]?.key, "cells", bad);
});
