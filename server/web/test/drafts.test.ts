// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { count, edit, isDrafts, NO_DRAFTS, redo, undo } from "../src/data/drafts";

const ram: Record<number, number> = { 1: 100, 2: 200, 3: 300 };
const running = (id: number) => ram[id] ?? null;

test("a draft remembers what ran and on which base it was made [UC-3]", () => {
  const d = edit(NO_DRAFTS, [{ id: 1, value: 110 }], running, 77);
  assert.deepEqual([d.values, d.was, d.base], [{ 1: 110 }, { 1: 100 }, 77]);
});

test("a draft that equals what runs is none", () => {
  const d = edit(edit(NO_DRAFTS, [{ id: 1, value: 110 }], running, 77), [{ id: 1, value: 100 }], running, 77);
  assert.equal(count(d), 0);
  assert.equal(d.base, null);
  assert.equal(edit(NO_DRAFTS, [{ id: 1, value: 100 }], running, 77), NO_DRAFTS);
});

test("undo and redo walk the steps, a bulk edit is one step", () => {
  let d = edit(NO_DRAFTS, [{ id: 1, value: 110 }], running, 77);
  d = edit(d, [{ id: 2, value: 220 }, { id: 3, value: 330 }], running, 77);
  d = undo(d, running, 77);
  assert.deepEqual(d.values, { 1: 110 });
  d = undo(d, running, 77);
  assert.deepEqual(d.values, {});
  d = undo(d, running, 77); // nothing left: nothing happens
  d = redo(redo(redo(d, running, 77), running, 77), running, 77);
  assert.deepEqual(d.values, { 1: 110, 2: 220, 3: 330 });
});

test("a new edit forgets what was undone", () => {
  let d = undo(edit(NO_DRAFTS, [{ id: 1, value: 110 }], running, 77), running, 77);
  d = edit(d, [{ id: 2, value: 220 }], running, 77);
  assert.deepEqual(redo(d, running, 77), d);
});

test("what the browser kept is checked", () => {
  assert.ok(isDrafts(JSON.parse(JSON.stringify(edit(NO_DRAFTS, [{ id: 1, value: 1 }], running, null)))));
  for (const bad of [null, 1, "x", {}, { values: {} }, { values: null, was: {}, done: [], undone: [] }]) assert.equal(isDrafts(bad), false);
});
