// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Catalogue, ParamRow, Params } from "../src/core/types";
import { blocked, crossed, exportFile, importFile } from "../src/data/paramfile";

const row = (id: number, name: string, min: number, max: number, dflt: number): ParamRow => ({ id, name, group: "alarms", unit: "mV", min, max, defaults: { nmc: dflt }, restart: false, text: name, why: "" });
const catalogue: Catalogue = {
  hash: "abcd",
  signals: [],
  params: [row(1, "low_limit", 0, 4500, 2750), row(2, "low_clear", 0, 4500, 3000), row(3, "high_limit", 500, 5000, 4250), row(4, "high_clear", 500, 5000, 4200)],
  alarms: ["low", "high"].map((name, i) => ({ id: i, name, level: "major", unit: "mV", limit_param: name + "_limit", dtc: 0, text: "" })),
};
const params: Params = {
  id: "demo.x", running_hash: 1, stored_hash: 1, read_at: 1, boot: 1,
  values: [[1, 2750], [2, 3000], [3, 4250], [4, 4200]].map(([id, v]) => ({ id: id as number, running: v as number, stored: v as number, desired: null })),
};
const pack = { id: "demo.x", chemistry: "nmc", cells: 48 };
const file = (change: object) => JSON.stringify({ ...JSON.parse(exportFile(catalogue, params, pack, 0, "a")), ...change });

test("what is exported imports as no difference [UC-4]", () => {
  const r = importFile(exportFile(catalogue, params, pack, 0, "a"), catalogue, params, pack);
  assert.deepEqual([r.error, r.changes, r.unknown, r.missing, blocked(r)], [null, [], [], 0, false]);
});

test("each wrong thing is named, and nothing is loaded [UC-4]", () => {
  const r = importFile(file({ values: { low_limit: 9999, high_limit: "4250", nonsense: 1, low_clear: 2900 } }), catalogue, params, pack);
  assert.deepEqual(r.outside.map((o) => [o.row.name, o.value]), [["low_limit", 9999]]);
  assert.deepEqual([r.notNumber, r.unknown, r.missing], [["high_limit"], ["nonsense"], 1]);
  assert.ok(blocked(r));
});

test("limits of the range are inside, one past is outside", () => {
  for (const [value, outside] of [[0, false], [4500, false], [-1, true], [4501, true]] as const) assert.equal(importFile(file({ values: { low_limit: value } }), catalogue, params, pack).outside.length > 0, outside);
});

test("another firmware or another pack is refused with both named", () => {
  assert.equal(importFile(file({ table: "ffff" }), catalogue, params, pack).otherTable, "ffff");
  assert.equal(importFile(file({ cells: 160 }), catalogue, params, pack).otherPack, "nmc, 160 cells");
});

test("what is no parameter file is refused in words", () => {
  for (const text of ["", "{", "[]", "null", "1", '"x"', "{}", '{"format":"cellwarden-parameters"}', '{"format":"cellwarden-parameters","values":[]}', "x".repeat(1_000_001)]) {
    const r = importFile(text, catalogue, params, pack);
    assert.ok(r.error, text.slice(0, 20));
    assert.ok(blocked(r));
  }
});

test("a limit on the wrong side of its clearing value is found, only when one of them is touched", () => {
  const now = (id: number) => params.values.find((v) => v.id === id)?.running ?? null;
  const names = (next: [number, number][]) => crossed(catalogue, now, new Map(next)).map((p) => `${p.low.name}<${p.high.name}`);
  assert.deepEqual(names([[1, 2999]]), []);
  assert.deepEqual(names([[1, 3000]]), ["low_limit<low_clear"]);
  assert.deepEqual(names([[4, 4250]]), ["high_clear<high_limit"]);
  assert.deepEqual(names([]), []);
});
