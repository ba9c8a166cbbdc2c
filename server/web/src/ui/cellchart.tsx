// SPDX-License-Identifier: Apache-2.0
// cellchart.tsx -- one bar per cell on a canvas: deviation from the median, or the absolute voltage.
// Neutral bars; only a cell with an alarm takes a state colour, with glyph and label. Notches mark all extremes, hollow rings below the
// plot mark balancing, modules are set apart. Tab enters the chart, arrow keys read single cells, a click opens one.
import { useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { num, Q, signed, val } from "../core/format";
import { t } from "../core/i18n";
import { color, dark } from "../core/theme";
import type { Alarm, Frame, Module } from "../core/types";
import { moduleOf, scaleOf, type CellStats } from "../data/cells";

export interface ChartLimits {
  low: number | null;
  high: number | null;
}

interface Props {
  frame: Frame;
  stats: CellStats;
  layout: Module[];
  colour: boolean;
  absolute?: boolean;
  mini?: boolean; // the strip on the overview: bars and notches alone
  limits?: ChartLimits;
  onOpen?: (cell: number) => void;
}

interface Slot {
  x: number;
  w: number;
  cell: number;
}

interface Plan {
  slots: Slot[];
  left: number;
  top: number;
  bottom: number; // of the plot
  width: number;
  height: number;
  low: number; // mV at the bottom
  high: number; // mV at the top
}

const FONT = "12px system-ui, sans-serif";
const GAP = 8; // between modules
const LANE = 16; // balancing rings
const NUMBERS = 18; // cell numbers and module names

/* What alarm each cell has: the worse one wins. Probes and the pack are not cells. */
export function cellAlarms(alarms: readonly Alarm[]): Map<number, Alarm> {
  const out = new Map<number, Alarm>();
  for (const a of alarms) {
    if (a.number < 1 || !a.alarm.startsWith("cell_")) continue;
    if (out.get(a.number)?.level !== "major") out.set(a.number, a);
  }
  return out;
}

function span(p: Props): { low: number; high: number } {
  const s = p.stats;
  if (!p.absolute) {
    const half = scaleOf(s);
    return { low: s.median - half, high: s.median + half };
  }
  const low = Math.min(s.min, p.limits?.low ?? s.min);
  const high = Math.max(s.max, p.limits?.high ?? s.max);
  const air = Math.max(20, (high - low) * 0.06);
  return { low: Math.floor((low - air) / 10) * 10, high: Math.ceil((high + air) / 10) * 10 };
}

function plan(p: Props, width: number, height: number): Plan {
  const left = p.mini ? 0 : 54;
  const top = p.mini ? 6 : 22;
  const bottom = height - (p.mini ? 6 : LANE + NUMBERS * 2);
  const count = p.frame.cell_mV.length;
  const groups = p.layout.filter((m) => m.cells > 0);
  const gap = p.mini ? 4 : GAP;
  const gaps = Math.max(0, groups.length - 1) * gap;
  const w = Math.min(count <= 12 ? 96 : 44, (width - left - 2 - gaps) / Math.max(1, count));
  const slots: Slot[] = [];
  for (let cell = 1; cell <= count; cell++) {
    const group = Math.max(0, moduleOf(groups, cell));
    slots.push({ x: left + (cell - 1) * w + group * gap, w, cell });
  }
  return { slots, left, top, bottom, width, height, ...span(p) };
}

const yOf = (pl: Plan, mV: number) => pl.bottom - ((mV - pl.low) / (pl.high - pl.low)) * (pl.bottom - pl.top);

function grid(g: CanvasRenderingContext2D, pl: Plan, p: Props): void {
  const mid = p.absolute ? Math.round((pl.low + pl.high) / 2) : p.stats.median;
  g.font = FONT;
  g.textAlign = "right";
  g.textBaseline = "middle";
  for (const mV of [pl.low, mid, pl.high]) {
    const y = Math.round(yOf(pl, mV)) + 0.5;
    g.strokeStyle = color(mV === mid && !p.absolute ? "control" : "hairline");
    g.beginPath();
    g.moveTo(pl.left, y);
    g.lineTo(pl.width, y);
    g.stroke();
    g.fillStyle = color("ink-2");
    g.fillText(p.absolute ? num(mV, Q.cell) : signed(mV - mid, Q.cell), pl.left - 6, y);
  }
}

function limitLines(g: CanvasRenderingContext2D, pl: Plan, p: Props): void {
  if (!p.absolute || !p.limits) return;
  g.setLineDash([6, 4]);
  g.strokeStyle = color("ink-2");
  for (const mV of [p.limits.low, p.limits.high]) {
    if (mV === null) continue;
    const y = Math.round(yOf(pl, mV)) + 0.5;
    g.beginPath();
    g.moveTo(pl.left, y);
    g.lineTo(pl.width, y);
    g.stroke();
  }
  g.setLineDash([]);
}

function bars(g: CanvasRenderingContext2D, pl: Plan, p: Props, alarms: Map<number, Alarm>): void {
  const zero = yOf(pl, p.absolute ? pl.low : p.stats.median);
  const neutral = color(p.colour ? "control" : "offline");
  for (const s of pl.slots) {
    const mV = p.frame.cell_mV[s.cell - 1] ?? null;
    const a = alarms.get(s.cell);
    const inner = s.w > 12 ? Math.min(48, s.w * 0.64) : Math.max(1, s.w - (s.w > 4 ? 2 : 1));
    const x = s.x + (s.w - inner) / 2;
    if (mV === null) {
      missing(g, x, inner, pl);
      continue;
    }
    const y = yOf(pl, mV);
    g.fillStyle = a && p.colour ? color(a.level === "major" ? "alarm" : "warn") : neutral;
    g.fillRect(x, Math.min(y, zero), inner, Math.max(1, Math.abs(y - zero)));
  }
}

/* No value: hatched over the whole height, so that it is not taken for a cell at the median. */
function missing(g: CanvasRenderingContext2D, x: number, w: number, pl: Plan): void {
  g.save();
  g.beginPath();
  g.rect(x, pl.top, w, pl.bottom - pl.top);
  g.clip();
  g.strokeStyle = color("offline");
  g.beginPath();
  for (let y = pl.top - w; y < pl.bottom; y += 6) {
    g.moveTo(x, y + w);
    g.lineTo(x + w, y);
  }
  g.stroke();
  g.restore();
}

function notch(g: CanvasRenderingContext2D, cx: number, y: number, up: boolean): void {
  const d = up ? -1 : 1;
  g.fillStyle = color("ink");
  g.beginPath();
  g.moveTo(cx, y + d * 2);
  g.lineTo(cx - 4, y + d * 8);
  g.lineTo(cx + 4, y + d * 8);
  g.fill();
}

function shape(g: CanvasRenderingContext2D, cx: number, cy: number, level: string, colour: boolean): void {
  const sides = level === "major" ? 8 : 3;
  const turn = level === "major" ? Math.PI / 8 : -Math.PI / 2;
  g.beginPath();
  for (let i = 0; i < sides; i++) g.lineTo(cx + 5 * Math.cos(turn + (i * 2 * Math.PI) / sides), cy + 5 * Math.sin(turn + (i * 2 * Math.PI) / sides));
  g.closePath();
  g.fillStyle = color(colour ? (level === "major" ? "alarm" : "warn") : "offline");
  g.fill();
}

interface Label {
  cell: number;
  text: string;
  up: boolean;
  level: string | null;
}

function labels(p: Props, alarms: Map<number, Alarm>): Label[] {
  const all = new Map<number, Label>();
  const add = (cell: number) => {
    const mV = p.frame.cell_mV[cell - 1] ?? null;
    if (mV === null || all.has(cell)) return;
    const text = `${cell} ${p.absolute ? num(mV, Q.cell) : signed(mV - p.stats.median, Q.cell)}`;
    all.set(cell, { cell, text, up: p.absolute ? true : mV >= p.stats.median, level: alarms.get(cell)?.level ?? null });
  };
  for (const cell of alarms.keys()) add(cell);
  if (p.stats.spread > 0) for (const cell of [...p.stats.minAt, ...p.stats.maxAt]) add(cell);
  return [...all.values()];
}

/* Labels stand in a row above the plot (high cells) or under it (low cells); one that would touch another is left out, its mark stays.
 * Returns what was written and where. */
function writeLabels(g: CanvasRenderingContext2D, pl: Plan, p: Props, alarms: Map<number, Alarm>): object[] {
  const taken: (Label & { from: number; to: number })[] = [];
  g.font = FONT;
  g.textBaseline = "middle";
  g.textAlign = "left";
  for (const l of labels(p, alarms)) {
    const s = pl.slots[l.cell - 1] as Slot;
    const mark = l.level ? 14 : 0;
    const w = g.measureText(l.text).width + mark;
    const from = Math.min(Math.max(pl.left, s.x + s.w / 2 - w / 2), pl.width - w - 1);
    if (taken.some((k) => k.up === l.up && from < k.to + 8 && from + w > k.from - 8)) continue;
    taken.push({ ...l, from: Math.floor(from), to: Math.ceil(from + w) });
    const y = l.up ? pl.top - 14 : pl.bottom + LANE + 9;
    if (l.level) shape(g, from + 5, y, l.level, p.colour);
    g.fillStyle = color("ink");
    g.fillText(l.text, from + mark, y);
  }
  return taken;
}

function modules(g: CanvasRenderingContext2D, pl: Plan, p: Props): void {
  const y = pl.height - 8;
  g.font = FONT;
  g.textBaseline = "middle";
  for (const m of p.layout.filter((l) => l.cells > 0)) {
    const a = pl.slots[m.first_cell - 1];
    const b = pl.slots[m.first_cell + m.cells - 2];
    if (!a || !b) continue;
    const words = `${m.name} · ${m.first_cell}–${m.first_cell + m.cells - 1}`;
    const room = b.x + b.w - a.x;
    const text = [words, m.name, ""].find((w) => g.measureText(w).width <= room) ?? "";
    g.strokeStyle = color("hairline");
    g.beginPath();
    g.moveTo(a.x, pl.height - NUMBERS + 0.5);
    g.lineTo(b.x + b.w, pl.height - NUMBERS + 0.5);
    g.stroke();
    g.fillStyle = color("ink-2");
    g.textAlign = "left";
    g.fillText(text, a.x, y);
  }
}

function rings(g: CanvasRenderingContext2D, pl: Plan, p: Props): void {
  const r = Math.min(4, Math.max(1.5, (pl.slots[0]?.w ?? 4) / 2 - 1));
  g.strokeStyle = color("ink");
  g.lineWidth = 1.5;
  for (const cell of p.frame.balancing) {
    const s = pl.slots[cell - 1];
    if (!s) continue;
    g.beginPath();
    g.arc(s.x + s.w / 2, pl.bottom + LANE / 2 + 1, r, 0, 2 * Math.PI);
    g.stroke();
  }
  g.lineWidth = 1;
}

function values(g: CanvasRenderingContext2D, pl: Plan, p: Props): void {
  if (pl.slots.length > 24 || (pl.slots[0]?.w ?? 0) < 36) return;
  g.font = FONT;
  g.textAlign = "center";
  g.textBaseline = "alphabetic";
  g.fillStyle = color("ink-2");
  for (const s of pl.slots) {
    const mV = p.frame.cell_mV[s.cell - 1] ?? null;
    if (mV === null) continue;
    const low = !p.absolute && mV < p.stats.median;
    g.fillText(num(mV, Q.cell), s.x + s.w / 2, low ? yOf(pl, p.stats.median) - 5 : yOf(pl, p.absolute ? pl.low : p.stats.median) + (p.absolute ? -5 : 15));
  }
}

function draw(canvas: HTMLCanvasElement, p: Props, cursor: number): void {
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const g = canvas.getContext("2d");
  if (!g || width === 0) return;
  const started = performance.now();
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  const pl = plan(p, width, height);
  const alarms = cellAlarms(p.frame.alarms);
  if (!p.mini) grid(g, pl, p);
  const at = pl.slots[cursor - 1];
  if (at) {
    g.fillStyle = color("hairline");
    g.fillRect(at.x, pl.top, at.w, pl.bottom - pl.top);
  }
  bars(g, pl, p, alarms);
  canvas.dataset["notches"] = String(p.stats.spread > 0 ? marks(g, pl, p) : 0);
  if (!p.mini) {
    limitLines(g, pl, p);
    rings(g, pl, p);
    values(g, pl, p);
    canvas.dataset["labels"] = JSON.stringify(writeLabels(g, pl, p, alarms)); // where they stand, for the browser tests
    modules(g, pl, p);
  }
  canvas.dataset["drawMs"] = (performance.now() - started).toFixed(2);
  canvas.dataset["no"] = String(p.frame.no);
}

/* Notches at all extremes; returns how many. */
function marks(g: CanvasRenderingContext2D, pl: Plan, p: Props): number {
  for (const [cells, up] of [[p.stats.maxAt, true], [p.stats.minAt, false]] as const) {
    for (const cell of cells) {
      const s = pl.slots[cell - 1] as Slot;
      const y = yOf(pl, up ? p.stats.max : p.stats.min);
      notch(g, s.x + s.w / 2, up ? Math.max(y, 9) : p.absolute ? pl.bottom - 2 : Math.min(y, pl.height - 9), up);
    }
  }
  return p.stats.maxAt.length + p.stats.minAt.length;
}

/* One cell in words: what the cursor reads out. */
export function cellWords(frame: Frame, stats: CellStats, cell: number): string {
  const mV = frame.cell_mV[cell - 1] ?? null;
  const name = t("cells.Cell", { n: cell });
  if (mV === null) return `${name}: ${t("quality.unknown")}`;
  const notes = [val(mV, Q.cell), `${signed(mV - stats.median, Q.cell)} ${Q.cell.unit}`];
  if (stats.maxAt.includes(cell)) notes.push(t("cells.note.max"));
  if (stats.minAt.includes(cell)) notes.push(t("cells.note.min"));
  if (frame.balancing.includes(cell)) notes.push(t("cells.note.bal"));
  return `${name}: ${notes.join(", ")}`;
}

export function CellChart(p: Props) {
  const ref = useRef<HTMLCanvasElement>(null);
  const [cursor, setCursor] = useState(0);
  const now = useRef({ p, cursor });
  now.current = { p, cursor };
  const paint = () => ref.current && draw(ref.current, now.current.p, now.current.cursor);
  useLayoutEffect(() => void paint());
  useSignalEffect(() => {
    void dark.value;
    paint();
  });
  useEffect(() => {
    const watch = new ResizeObserver(() => paint());
    watch.observe(ref.current as HTMLCanvasElement);
    return () => watch.disconnect();
  }, []);
  const { low, high } = span(p);
  const count = p.frame.cell_mV.length;
  const name = p.absolute
    ? t("cells.chart.abs", { n: count, low: num(low, Q.cell), high: num(high, Q.cell) })
    : t("cells.chart", { n: count, scale: num(scaleOf(p.stats), Q.cell) });

  function cellAt(e: MouseEvent): number {
    const canvas = ref.current as HTMLCanvasElement;
    const x = e.clientX - canvas.getBoundingClientRect().left;
    return plan(p, canvas.clientWidth, canvas.clientHeight).slots.find((s) => x >= s.x && x < s.x + s.w)?.cell ?? 0;
  }

  function key(e: KeyboardEvent): void {
    const step: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, PageDown: 10, PageUp: -10, Home: -count, End: count };
    const by = step[e.key];
    if (by !== undefined) {
      e.preventDefault();
      setCursor(Math.min(count, Math.max(1, cursor + by)));
    } else if (e.key === "Enter" && cursor > 0) {
      e.preventDefault(); // else the same key press works the dialog's first button
      p.onOpen?.(cursor);
    } else if (e.key === "Escape") setCursor(0);
  }

  if (p.mini) return <canvas ref={ref} class="cellstrip" role="img" aria-label={name} />;
  return (
    <div class="cellchart">
      <canvas
        ref={ref}
        role="img"
        aria-label={name}
        tabIndex={0}
        onKeyDown={key}
        onPointerMove={(e) => e.pointerType === "mouse" && setCursor(cellAt(e))}
        onPointerLeave={() => setCursor(0)}
        onClick={(e) => cellAt(e) && p.onOpen?.(cellAt(e))}
      />
      <p class="cellchart-words fine" aria-live="polite">
        {cursor ? cellWords(p.frame, p.stats, cursor) : "\u00a0"}
      </p>
    </div>
  );
}
