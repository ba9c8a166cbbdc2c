// SPDX-License-Identifier: Apache-2.0
// cells.tsx -- which cell is odd, where is it, what is it? The sentence, the bars (on a phone a grid of squares), temperatures, and the table twin.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../core/api";
import { DASH, num, Q, ranges, signed, val } from "../core/format";
import { t, tr } from "../core/i18n";
import { query, setQuery } from "../core/router";
import type { Alarm, Frame, Module, Params } from "../core/types";
import { catalogue } from "../data/catalogue";
import { moduleOf, scaleOf, stats, type CellStats } from "../data/cells";
import { cellAlarms, CellChart, type ChartLimits } from "../ui/cellchart";
import { Glyph, Icon } from "../ui/glyph";
import { Live, None, useColour, useVehicleFresh } from "../ui/live";
import { Dialog, Empty, Figure } from "../ui/parts";
import type { TabProps } from "./vehicle";

function named(one: "cells.high1" | "cells.low1", more: "cells.highn" | "cells.lown", at: number[]): string {
  return t(at.length === 1 ? one : more, { n: ranges(at) });
}

/* The extremes with all ties, spread and median, in words. */
export function sentence(s: CellStats | null): string {
  if (!s) return t("cells.novalue");
  if (s.valid === 1) return t("cells.one", { n: s.maxAt[0] as number, value: val(s.max, Q.cell) });
  if (s.spread === 0) return t("cells.equal", { count: s.valid, value: val(s.max, Q.cell) });
  return t("cells.maxmin", {
    max: named("cells.high1", "cells.highn", s.maxAt),
    maxv: val(s.max, Q.cell),
    min: named("cells.low1", "cells.lown", s.minAt),
    minv: val(s.min, Q.cell),
    spread: val(s.spread, Q.spread),
    median: val(s.median, Q.cell),
  });
}

/* "No value from cell 7 (sensor open), cells 9–12 (not received)." */
function missingWords(frame: Frame, missing: number[]): string {
  const by = new Map<string, number[]>();
  for (const cell of missing) {
    const why = frame.cell_quality[String(cell)] ?? "unknown";
    by.set(why, [...(by.get(why) ?? []), cell]);
  }
  const list = [...by].map(([why, cells]) => `${ranges(cells)} (${tr("quality." + why, "quality.unknown")})`).join("; ");
  return t("cells.missing", { list });
}

function balancingWords(n: number[]): string {
  if (n.length === 0) return t("cells.balancing0");
  return n.length === 1 ? t("cells.balancing1", { n: n[0] as number }) : t("cells.balancing", { n: n.length });
}

function Words({ frame, s }: { frame: Frame; s: CellStats | null }) {
  return (
    <>
      <p class="cells-sentence" data-sentence>
        {sentence(s)}
      </p>
      <p class="cells-sentence">
        {s && s.missing.length > 0 && <span data-missing>{missingWords(frame, s.missing)} </span>}
        <span data-balancing>{balancingWords(frame.balancing)}</span>
      </p>
    </>
  );
}

/* On a phone: ten cells in a row, the number over a bar that leaves the middle up or down. */
function Grid({ frame, s, layout, open }: { frame: Frame; s: CellStats; layout: Module[]; open: (cell: number) => void }) {
  const colour = useColour();
  const alarms = cellAlarms(frame.alarms);
  const scale = scaleOf(s);
  const groups = layout.filter((m) => m.cells > 0);
  return (
    <div class="cellgrid" role="group" aria-label={t("cells.deviation")}>
      {frame.cell_mV.map((mV, i) => {
        const cell = i + 1;
        const group = groups.find((m) => m.first_cell === cell);
        return (
          <>
            {group && groups.length > 1 && <p class="cellgrid-module">{group.name}</p>}
            <Square cell={cell} mV={mV} s={s} scale={scale} alarm={colour ? alarms.get(cell) : undefined} balancing={frame.balancing.includes(cell)} open={open} />
          </>
        );
      })}
    </div>
  );
}

interface SquareProps {
  cell: number;
  mV: number | null;
  s: CellStats;
  scale: number;
  alarm: Alarm | undefined;
  balancing: boolean;
  open: (cell: number) => void;
}

function Square({ cell, mV, s, scale, alarm, balancing, open }: SquareProps) {
  const ext = mV !== null && s.spread > 0 && (mV === s.max || mV === s.min);
  const dev = mV === null ? 0 : mV - s.median;
  const px = Math.min(8, Math.round((Math.abs(dev) / scale) * 8));
  const cls = ["cellsq", ext ? "cellsq-ext" : "", mV === null ? "cellsq-none" : "", alarm ? `cellsq-${alarm.level}` : "", balancing ? "cellsq-bal" : ""].join(" ");
  const words = `${t("cells.Cell", { n: cell })}: ${mV === null ? t("quality.unknown") : `${val(mV, Q.cell)}, ${signed(dev, Q.cell)}`}${alarm ? ", " + alarm.text : ""}`;
  return (
    <button type="button" class={cls} data-cell={cell} aria-label={words} onClick={() => open(cell)}>
      <span>{cell}</span>
      {mV !== null && <i style={{ height: Math.max(1, px) + "px", top: (dev >= 0 ? 23 - px : 23) + "px" }} />}
    </button>
  );
}

function Temps({ frame, layout }: { frame: Frame; layout: Module[] }) {
  const known = frame.temp_ddegC.filter((x): x is number => x !== null);
  if (frame.temp_ddegC.length === 0) return <Empty text={t("cells.temps.none")} />;
  const max = Math.max(...known);
  const min = Math.min(...known);
  const at = (x: number) => ranges(frame.temp_ddegC.flatMap((v, i) => (v === x ? [i + 1] : [])));
  const fitted = layout.filter((m) => m.temps > 0);
  const groups = fitted.length ? fitted : [{ name: t("cells.temps"), first_cell: 0, cells: 0, first_temp: 1, temps: frame.temp_ddegC.length }];
  return (
    <>
      {known.length > 0 && (
        <p class="cells-sentence">
          {t("cells.temps.max", { n: at(max), value: val(max, Q.temp) })}; {t("cells.temps.min", { n: at(min), value: val(min, Q.temp) })}.
        </p>
      )}
      <div class="temps">
        {groups.map((m) => (
          <div class="tempgroup">
            <h3>{m.name}</h3>
            <ul>
              {Array.from({ length: m.temps }, (_, k) => m.first_temp + k).map((n) => (
                <Temp n={n} raw={frame.temp_ddegC[n - 1] ?? null} why={frame.temp_quality[String(n)]} ext={known.length > 1 && max > min} max={max} min={min} />
              ))}
            </ul>
          </div>
        ))}
      </div>
    </>
  );
}

function Temp({ n, raw, why, ext, max, min }: { n: number; raw: number | null; why: string | undefined; ext: boolean; max: number; min: number }) {
  const mark = ext && raw !== null && (raw === max || raw === min);
  const words = tr("quality." + (why ?? "unknown"), "quality.unknown");
  return (
    <li class={`temp${mark ? " temp-ext" : ""}${raw === null ? " temp-none" : ""}`} data-probe={n}>
      <small>
        <span class="sr">{t("cells.probe", { n })}: </span>
        <span aria-hidden="true">{n}</span>
        {mark && <span aria-hidden="true"> {raw === max ? "▲" : "▼"}</span>}
      </small>
      {raw === null ? (
        <b>
          {DASH} {words}
        </b>
      ) : (
        num(raw, Q.temp)
      )}
    </li>
  );
}

type SortKey = "cell" | "voltage" | "dev";

interface CellRow {
  cell: number;
  mV: number | null;
  alarm: Alarm | undefined;
}

/* Alarmed cells first, then the extremes, then by number: what is odd is at the top. Or by a column. */
export function sortCells(rows: CellRow[], s: CellStats | null, sort: string): CellRow[] {
  const key = sort.replace(/^-/, "") as SortKey;
  const dir = sort.startsWith("-") ? -1 : 1;
  const rank = (r: CellRow) => (r.alarm?.level === "major" ? 0 : r.alarm ? 1 : r.mV === null ? 2 : s && s.spread > 0 && r.mV === s.min ? 3 : s && s.spread > 0 && r.mV === s.max ? 4 : 5);
  return [...rows].sort((a, b) => {
    if (key === "cell") return dir * (a.cell - b.cell);
    if (key === "voltage" || key === "dev") {
      if (a.mV === null || b.mV === null) return a.mV === b.mV ? a.cell - b.cell : a.mV === null ? 1 : -1;
      return dir * (a.mV - b.mV) || a.cell - b.cell;
    }
    return rank(a) - rank(b) || a.cell - b.cell;
  });
}

function Th({ words, k, sort, cls }: { words: string; k: SortKey; sort: string; cls?: string }) {
  const on = sort.replace(/^-/, "") === k;
  const down = sort.startsWith("-");
  return (
    <th class={cls} scope="col" aria-sort={on ? (down ? "descending" : "ascending") : undefined}>
      <button type="button" class="sort" onClick={() => setQuery({ sort: on ? (down ? null : "-" + k) : k })}>
        {words}
        {on && <Icon name={down ? "down" : "up"} />}
      </button>
    </th>
  );
}

function Table({ frame, s, layout, open }: { frame: Frame; s: CellStats | null; layout: Module[]; open: (cell: number) => void }) {
  const colour = useColour();
  const sort = query.value.get("sort") ?? "";
  const alarms = cellAlarms(frame.alarms);
  const rows = sortCells(frame.cell_mV.map((mV, i) => ({ cell: i + 1, mV, alarm: alarms.get(i + 1) })), s, sort);
  return (
    <div class="tablebox" tabIndex={0} role="region" aria-label={t("cells.table")}>
      <table class="table" id="cell-table">
        <thead>
          <tr>
            <Th words={t("cells.col.cell")} k="cell" sort={sort} />
            <th scope="col">{t("cells.col.module")}</th>
            <Th words={t("cells.col.voltage")} k="voltage" sort={sort} cls="r" />
            <Th words={t("cells.col.dev")} k="dev" sort={sort} cls="r" />
            <th scope="col">{t("cells.col.note")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((r) => (
            <tr key={r.cell} data-cell={r.cell}>
              <td>
                <button type="button" class="link rowlink" onClick={() => open(r.cell)} aria-label={t("cells.Cell", { n: r.cell })}>
                  {r.cell}
                </button>
              </td>
              <td>{layout[moduleOf(layout, r.cell)]?.name ?? DASH}</td>
              <td class="r">{r.mV === null ? <None reason={frame.cell_quality[String(r.cell)]} /> : num(r.mV, Q.cell)}</td>
              <td class="r">{r.mV === null || !s ? DASH : signed(r.mV - s.median, Q.cell)}</td>
              <td>
                <Notes r={r} s={s} balancing={frame.balancing.includes(r.cell)} colour={colour} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Notes({ r, s, balancing, colour }: { r: CellRow; s: CellStats | null; balancing: boolean; colour: boolean }) {
  const words: string[] = [];
  if (s && s.spread > 0 && r.mV === s.max) words.push(t("cells.note.max"));
  if (s && s.spread > 0 && r.mV === s.min) words.push(t("cells.note.min"));
  if (balancing) words.push(t("cells.note.bal"));
  return (
    <>
      {r.alarm && (
        <span class="note-alarm">
          <Glyph state={r.alarm.level === "major" ? "alarm" : "warning"} colour={colour} /> {r.alarm.text}
          {words.length > 0 && " · "}
        </span>
      )}
      {words.join(", ")}
    </>
  );
}

function Sheet({ view, frame, s, layout, cell, open }: TabProps & { frame: Frame; s: CellStats | null; layout: Module[]; cell: number; open: (cell: number | null) => void }) {
  const mV = frame.cell_mV[cell - 1] ?? null;
  const alarms = frame.alarms.filter((a) => a.alarm.startsWith("cell_") && a.number === cell);
  const count = frame.cell_mV.length;
  const foot = (
    <>
      <button type="button" class="button" disabled={cell <= 1} onClick={() => open(cell - 1)}>
        {t("cells.prev")}
      </button>
      <button type="button" class="button" disabled={cell >= count} onClick={() => open(cell + 1)}>
        {t("cells.next")}
      </button>
      <button type="button" class="button" onClick={() => open(null)}>
        {t("cells.close")}
      </button>
    </>
  );
  const reason = frame.cell_quality[String(cell)];
  return (
    <Dialog title={t("cells.Cell", { n: cell })} onClose={() => open(null)} foot={foot} class="sheet">
      <dl class="sheet-figures">
        <Figure label={t("q.voltage.short")} value={mV === null ? null : num(mV, Q.cell)} unit={Q.cell.unit} reason={reason} />
        <Figure label={t("cells.deviation")} value={mV === null || !s ? null : signed(mV - s.median, Q.cell)} unit={Q.cell.unit} reason={reason} />
        <Figure label={t("cells.col.module")} value={layout[moduleOf(layout, cell)]?.name ?? DASH} />
        <Figure label={t("cells.legend.bal")} value={frame.balancing.includes(cell) ? t("input.on") : t("input.off")} />
      </dl>
      {alarms.length > 0 && (
        <ul>
          {alarms.map((a) => (
            <li>
              <Glyph state={a.level === "major" ? "alarm" : "warning"} /> {a.text}
            </li>
          ))}
        </ul>
      )}
      <p>
        <a href={`/v/${view.id}/history?series=cell_${cell}_mV`}>{t("cells.sheet.history")}</a>
      </p>
    </Dialog>
  );
}

/* Limits of the two major cell voltage alarms, from the running parameters. */
function useLimits(id: string, wanted: boolean): ChartLimits {
  const limits = useSignal<ChartLimits>({ low: null, high: null });
  const rows = catalogue.value.value;
  useEffect(() => {
    if (!wanted || !rows) return;
    const idOf = (alarm: string) => rows.params.find((p) => p.name === rows.alarms.find((a) => a.name === alarm)?.limit_param)?.id;
    get<Params>(`/vehicles/${id}/params`).then(
      (p) => {
        const at = (alarm: string) => p.values.find((v) => v.id === idOf(alarm))?.running ?? null;
        limits.value = { low: at("cell_under_voltage"), high: at("cell_over_voltage") };
      },
      () => {},
    );
  }, [id, wanted, rows]);
  return limits.value;
}

function Bars({ frame, s, layout, view, open }: TabProps & { frame: Frame; s: CellStats; layout: Module[]; open: (cell: number) => void }) {
  const colour = useColour();
  const absolute = query.value.get("scale") === "absolute";
  const limits = useLimits(view.id, absolute);
  return (
    <>
      <div class="view-switch legend">
        <fieldset class="segment">
          <legend class="sr">{t("cells.view")}</legend>
          <button type="button" aria-pressed={!absolute} onClick={() => setQuery({ scale: null })}>
            {t("cells.deviation")}
          </button>
          <button type="button" aria-pressed={absolute} onClick={() => setQuery({ scale: "absolute" })}>
            {t("cells.absolute")}
          </button>
        </fieldset>
        {!absolute && <span data-scale={scaleOf(s)}>{t("cells.scale", { n: num(scaleOf(s), Q.cell) })}</span>}
      </div>
      <CellChart frame={frame} stats={s} layout={layout} colour={colour} absolute={absolute} limits={limits} onOpen={open} />
      <Grid frame={frame} s={s} layout={layout} open={open} />
      <div class="legend legend-chart">
        <span>
          <i class="lg-notch" /> {t("cells.legend.ext")}
        </span>
        <span>
          <i class="lg-ring" /> {t("cells.legend.bal")}
        </span>
        <span>
          <i class="lg-none" /> {t("cells.legend.none")}
        </span>
        {absolute && (
          <span>
            <i class="lg-limit" /> {t("cells.legend.limits")}
          </span>
        )}
      </div>
    </>
  );
}

export function Cells({ view }: TabProps) {
  const fresh = useVehicleFresh(view);
  const frame = view.frame.value;
  const v = view.facts.value.value;
  const asked = Number(query.value.get("cell"));
  const open = (cell: number | null) => setQuery({ cell: cell === null ? null : String(cell) });
  if (!frame || !v) return <Empty text={t("fresh.never")} />;
  const s = stats(frame.cell_mV);
  const layout = v.layout;
  return (
    <div class="page-cells stack">
      <Live fresh={fresh} id="cells" title={t("cells.title")} class="cells-panel">
        <Words frame={frame} s={s} />
        {s && <Bars view={view} frame={frame} s={s} layout={layout} open={open} />}
      </Live>
      <Live fresh={fresh} id="temps" title={`${t("cells.temps")}, ${Q.temp.unit}`} tag={false}>
        <Temps frame={frame} layout={layout} />
      </Live>
      <Live fresh={fresh} id="table" title={t("cells.table")} tag={false}>
        <Table frame={frame} s={s} layout={layout} open={open} />
      </Live>
      {asked >= 1 && asked <= frame.cell_mV.length && <Sheet view={view} frame={frame} s={s} layout={layout} cell={asked} open={open} />}
    </div>
  );
}
