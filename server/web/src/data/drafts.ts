// SPDX-License-Identifier: Apache-2.0
// drafts.ts -- values a person would like to have, not written anywhere but in this browser. Pure: state in, state out; undo and redo are part of it.

export interface Change {
  id: number;
  before: number | null; // null = no draft
  after: number | null;
}

export interface Drafts {
  base: number | null; // running hash when the first of these drafts was made
  values: Record<number, number>;
  was: Record<number, number | null>; // what ran when the draft was made
  done: Change[][]; // one entry per undo
  undone: Change[][];
}

const STEPS_MAX = 200;

export const NO_DRAFTS: Drafts = { base: null, values: {}, was: {}, done: [], undone: [] };

export const count = (d: Drafts): number => Object.keys(d.values).length;

function apply(d: Drafts, changes: readonly { id: number; value: number | null }[], running: (id: number) => number | null, base: number | null): Drafts {
  const values = { ...d.values };
  const was = { ...d.was };
  for (const { id, value } of changes) {
    if (value === null) {
      delete values[id];
      delete was[id];
      continue;
    }
    if (!(id in values)) was[id] = running(id);
    values[id] = value;
  }
  const empty = Object.keys(values).length === 0;
  return { ...d, values, was, base: empty ? null : (d.base ?? base) };
}

/* Make, change or (value null) drop drafts: one step for undo. A draft that equals what runs is none. */
export function edit(d: Drafts, wanted: readonly { id: number; value: number | null }[], running: (id: number) => number | null, base: number | null): Drafts {
  const real = wanted.map((w) => (w.value === running(w.id) ? { id: w.id, value: null } : w));
  const step = real.map((w) => ({ id: w.id, before: d.values[w.id] ?? null, after: w.value })).filter((c) => c.before !== c.after);
  if (step.length === 0) return d;
  const next = apply(d, real, running, base);
  return { ...next, done: [...d.done, step].slice(-STEPS_MAX), undone: [] };
}

export function undo(d: Drafts, running: (id: number) => number | null, base: number | null): Drafts {
  const step = d.done[d.done.length - 1];
  if (!step) return d;
  const next = apply(d, step.map((c) => ({ id: c.id, value: c.before })), running, base);
  return { ...next, done: d.done.slice(0, -1), undone: [...d.undone, step] };
}

export function redo(d: Drafts, running: (id: number) => number | null, base: number | null): Drafts {
  const step = d.undone[d.undone.length - 1];
  if (!step) return d;
  const next = apply(d, step.map((c) => ({ id: c.id, value: c.after })), running, base);
  return { ...next, done: [...d.done, step], undone: d.undone.slice(0, -1) };
}

/* Is this what edit() and its sisters make? Guards what comes back from the browser's storage. */
export function isDrafts(x: unknown): x is Drafts {
  const d = x as Drafts | null;
  return typeof d === "object" && d !== null && typeof d.values === "object" && d.values !== null && typeof d.was === "object" && Array.isArray(d.done) && Array.isArray(d.undone);
}
