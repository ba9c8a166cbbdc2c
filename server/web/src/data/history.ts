// SPDX-License-Identifier: Apache-2.0
// history.ts -- which series the history page asks for, and its answer as the charts want it. Pure but for the request.
import { get } from "../core/api";
import { quantityOf, Q, type Quantity } from "../core/format";
import type { History } from "../core/types";

export interface ChartSpec {
  key: string;
  series: string[]; // one, or lowest and highest together
  quantity: Quantity;
}

/* All charts, drawn from one request of at most 8 series. */
export function charts(extra: string | null): ChartSpec[] {
  const own = extra && /^(cell_\d{1,3}_mV|temp_\d{1,2}_ddegC)$/.test(extra) ? [{ key: extra, series: [extra], quantity: extra.startsWith("cell") ? Q.cell : Q.temp }] : [];
  return [
    ...own,
    { key: "cells", series: ["cell_min_mV", "cell_max_mV"], quantity: Q.cell },
    { key: "pack_voltage_mV", series: ["pack_voltage_mV"], quantity: Q.pack },
    { key: "pack_current_mA", series: ["pack_current_mA"], quantity: Q.current },
    { key: "soc_permyriad", series: ["soc_permyriad"], quantity: quantityOf("0.01 %") },
    { key: "temp_max_ddegC", series: ["temp_max_ddegC"], quantity: Q.temp },
  ];
}

export function readHistory(id: string, specs: ChartSpec[], from: number, to: number, px: number): Promise<History> {
  const q = new URLSearchParams({ series: specs.flatMap((s) => s.series).join(","), from: String(Math.round(from)), to: String(Math.round(to)), px: String(px) });
  return get<History>(`/vehicles/${id}/history?${q.toString()}`);
}

export interface Lines {
  t: number[]; // seconds
  low: (number | null)[]; // lowest sample of each bucket, shown unit
  high: (number | null)[];
  means: (number | null)[][]; // one line per series
  count: number[];
}

/* A bucket without samples stays null: the line is cut there, never bridged. */
export function lines(h: History, spec: ChartSpec): Lines {
  const scale = (list: readonly (number | null)[] | undefined) => h.t.map((_, i) => (list?.[i] ?? null) === null ? null : (list?.[i] as number) / spec.quantity.divisor);
  const first = h.series[spec.series[0] as string];
  const last = h.series[spec.series[spec.series.length - 1] as string];
  return {
    t: h.t.map((ms) => ms / 1000),
    low: scale(first?.min),
    high: scale(last?.max),
    means: spec.series.map((name) => scale(h.series[name]?.mean)),
    count: h.t.map((_, i) => first?.count[i] ?? 0),
  };
}

/* Lowest, highest, samples of what is drawn; null when there is nothing. */
export function summary(l: Lines): { min: number; max: number; samples: number } | null {
  const low = l.low.filter((v): v is number => v !== null);
  const high = l.high.filter((v): v is number => v !== null);
  if (low.length === 0 || high.length === 0) return null;
  return { min: Math.min(...low), max: Math.max(...high), samples: l.count.reduce((a, b) => a + b, 0) };
}
