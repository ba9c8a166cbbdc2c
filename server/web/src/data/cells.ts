// SPDX-License-Identifier: Apache-2.0
// cells.ts -- what the cells page says about a set of readings: extremes with all ties, median, spread, scale. Pure.

export interface CellStats {
  count: number; // cells fitted
  valid: number; // cells with a value
  max: number;
  min: number;
  median: number; // whole mV; of an even number the mean of the two middle ones, rounded
  spread: number;
  maxAt: number[]; // numbers of all cells that read the maximum, 1-based, ascending
  minAt: number[];
  missing: number[]; // numbers of the cells without a value
}

/* null when no cell has a value. */
export function stats(values: readonly (number | null)[]): CellStats | null {
  const known = values.filter((v): v is number => v !== null).sort((a, b) => a - b);
  const missing: number[] = [];
  values.forEach((v, i) => v === null && missing.push(i + 1));
  if (known.length === 0) return null;
  const max = known[known.length - 1] as number;
  const min = known[0] as number;
  const at = (x: number) => values.flatMap((v, i) => (v === x ? [i + 1] : []));
  const mid = (known.length - 1) / 2;
  const median = Math.round(((known[Math.floor(mid)] as number) + (known[Math.ceil(mid)] as number)) / 2);
  return { count: values.length, valid: known.length, max, min, median, spread: max - min, maxAt: at(max), minAt: at(min), missing };
}

const STEPS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/* Half height of the symmetric deviation scale, mV: at least 10, so that a healthy pack looks flat. */
export function scaleOf(s: CellStats): number {
  const need = Math.max(s.max - s.median, s.median - s.min);
  return STEPS.find((step) => step >= need) ?? 5000;
}

/* Which module a cell is in: index into the layout, -1 when the layout does not say. */
export function moduleOf(layout: readonly { first_cell: number; cells: number }[], cell: number): number {
  return layout.findIndex((m) => cell >= m.first_cell && cell < m.first_cell + m.cells);
}
