// SPDX-License-Identifier: Apache-2.0
// history.tsx -- what happened around then? Charts of one span with one cursor: mean line in the band of lowest and highest sample, gaps cut.
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import { clock, COUNT, DASH, fixed, num, stamp, type Quantity } from "../core/format";
import { tableWords, t } from "../core/i18n";
import { query, setQuery } from "../core/router";
import { color, dark } from "../core/theme";
import { serverNow } from "../core/time";
import type { History as Answer } from "../core/types";
import { signalRow } from "../data/catalogue";
import { charts, lines, readHistory, summary, type ChartSpec, type Lines } from "../data/history";
import { Resource } from "../data/resource";
import { Empty, ProblemBox, Skeleton } from "../ui/parts";
import type { TabProps } from "./vehicle";
import "uplot/dist/uPlot.min.css";
import "../styles/history.css";

const SPANS: [string, number][] = [
  ["15 min", 900],
  ["1 h", 3600],
  ["6 h", 21_600],
  ["24 h", 86_400],
  ["7 d", 604_800],
];
const FOLLOW_ms = 10_000;
const PAGE = 25;

const library = () => import("uplot").then((m) => m.default);

function nameOf(spec: ChartSpec): string {
  if (spec.key === "cells") return t("hist.cells");
  const cell = /^cell_(\d+)_mV$/.exec(spec.key);
  if (cell) return t("hist.cell", { n: cell[1] as string });
  const probe = /^temp_(\d+)_ddegC$/.exec(spec.key);
  if (probe) return t("cells.probe", { n: probe[1] as string });
  if (spec.key === "temp_max_ddegC") return t("q.tempmax");
  return tableWords(signalRow(spec.key)?.text ?? spec.key);
}

function options(spec: ChartSpec, width: number, span: [number, number], read: (i: number | null) => void): uPlot.Options {
  const axis: uPlot.Axis = { stroke: color("ink-2"), font: "12px system-ui, sans-serif", grid: { stroke: color("hairline"), width: 1 }, ticks: { stroke: color("hairline"), width: 1 } };
  const band: uPlot.Series = { width: 0, points: { show: false } };
  const mean: uPlot.Series = { stroke: color("ink"), width: 1.5, spanGaps: false, points: { show: false } };
  const fill = color("control") + "59";
  return {
    width,
    height: 180,
    legend: { show: false },
    cursor: { sync: { key: "history" }, points: { show: false }, drag: { x: false, y: false } },
    scales: { x: { time: true, range: () => span } },
    axes: [
      { ...axis, values: (_u, ticks) => ticks.map((s) => (span[1] - span[0] > 172_800 ? stamp(s * 1000).slice(5, 10) : clock(s * 1000, span[1] - span[0] < 1200))) },
      { ...axis, size: 64, values: (_u, ticks) => ticks.map((v) => fixed(v, spec.quantity.decimals)) },
    ],
    series: [{}, band, band, ...spec.series.map(() => mean)],
    bands: [{ series: [2, 1], fill }],
    hooks: { setCursor: [(u) => read(u.cursor.idx ?? null)] },
  };
}

function readout(l: Lines, i: number | null, q: Quantity): string {
  if (i === null || l.t[i] === undefined) return "\u00a0";
  const at = stamp((l.t[i] as number) * 1000);
  const show = (v: number | null | undefined) => (v === null || v === undefined ? DASH : fixed(v, q.decimals));
  if (!l.count[i]) return `${at}: ${t("hist.empty")}`;
  return `${at}: ${t("hist.min")} ${show(l.low[i])}, ${t("hist.mean")} ${l.means.map((m) => show(m[i])).join(" / ")}, ${t("hist.max")} ${show(l.high[i])} ${q.unit}`;
}

function Plot({ spec, data, span }: { spec: ChartSpec; data: Lines; span: [number, number] }) {
  const box = useRef<HTMLDivElement>(null);
  const at = useSignal<number | null>(null);
  const [lib, setLib] = useState<typeof uPlot | null>(null);
  useEffect(() => {
    let gone = false;
    const load = (): void => void library().then((m) => !gone && setLib(() => m), () => setTimeout(load, 2000));
    load();
    return () => {
      gone = true;
    };
  }, []);
  const [theme, setTheme] = useState(dark.value);
  useSignalEffect(() => setTheme(dark.value));
  useEffect(() => {
    const el = box.current;
    if (!lib || !el) return;
    const rows = [data.t, data.low, data.high, ...data.means] as uPlot.AlignedData;
    const plot = new lib(options(spec, el.clientWidth, span, (i) => (at.value = i)), rows, el);
    const watch = new ResizeObserver(() => plot.setSize({ width: el.clientWidth, height: 180 }));
    watch.observe(el);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [lib, data, theme]);
  const s = summary(data);
  const q = spec.quantity;
  const words = s ? t("hist.summary", { min: fixed(s.min, q.decimals), max: fixed(s.max, q.decimals), unit: q.unit, n: num(s.samples, COUNT) }) : t("hist.empty");
  return (
    <section class="panel" data-chart={spec.key}>
      <header class="panel-head">
        <h2>{`${nameOf(spec)}, ${q.unit}`}</h2>
        <span class="fine">{words}</span>
      </header>
      <div class="plot" ref={box} role="img" aria-label={`${nameOf(spec)}: ${words}`} />
      <p class="fine plot-words" aria-hidden="true">
        {readout(data, at.value, q)}
      </p>
      <Twin data={data} q={q} />
    </section>
  );
}

/* The plotted data as a table, 25 rows a page. */
function Twin({ data, q }: { data: Lines; q: Quantity }) {
  const [page, setPage] = useState(0);
  const [open, setOpen] = useState(false);
  const rows = data.t.map((_, i) => i).filter((i) => data.count[i]);
  const last = Math.max(0, Math.ceil(rows.length / PAGE) - 1);
  const now = Math.min(page, last);
  const show = (v: number | null | undefined) => (v === null || v === undefined ? DASH : fixed(v, q.decimals));
  return (
    <details class="twin" onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{t("hist.table")}</summary>
      {open && (
        <>
          <table class="table">
            <thead>
              <tr>
                <th scope="col">{t("hist.time")}</th>
                <th scope="col" class="r">{t("hist.min")}</th>
                <th scope="col" class="r">{t("hist.mean")}</th>
                <th scope="col" class="r">{t("hist.max")}</th>
              </tr>
            </thead>
            <tbody>
              {rows.slice(now * PAGE, now * PAGE + PAGE).map((i) => (
                <tr>
                  <td>{stamp((data.t[i] as number) * 1000)}</td>
                  <td class="r">{show(data.low[i])}</td>
                  <td class="r">{data.means.map((m) => show(m[i])).join(" / ")}</td>
                  <td class="r">{show(data.high[i])}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <p class="twin-pages">
            <button type="button" class="button" disabled={now === 0} onClick={() => setPage(now - 1)}>
              {t("hist.earlier")}
            </button>
            <span class="fine">
              {now + 1} / {last + 1}
            </span>
            <button type="button" class="button" disabled={now === last} onClick={() => setPage(now + 1)}>
              {t("hist.later")}
            </button>
          </p>
        </>
      )}
    </details>
  );
}

function Bar({ span_s, end }: { span_s: number; end: number | null }) {
  const step = span_s * 500;
  const go = (to: number | null) => setQuery({ end: to === null || to >= serverNow() ? null : String(Math.round(to)) });
  return (
    <div class="hist-bar">
      <fieldset class="segment">
        <legend class="sr">{t("hist.span")}</legend>
        {SPANS.map(([words, s]) => (
          <button type="button" aria-pressed={s === span_s} onClick={() => setQuery({ span: String(s) })}>
            {words}
          </button>
        ))}
      </fieldset>
      <div class="hist-move">
        <button type="button" class="button" onClick={() => go((end ?? serverNow()) - step)}>
          {t("hist.earlier")}
        </button>
        <button type="button" class="button" disabled={end === null} onClick={() => go((end ?? 0) + step)}>
          {t("hist.later")}
        </button>
        <button type="button" class="button" disabled={end === null} onClick={() => go(null)}>
          {t("hist.now")}
        </button>
      </div>
      <span class="fine">{end === null ? t("hist.live") : `${stamp(end - span_s * 1000)} – ${stamp(end)}`}</span>
    </div>
  );
}

export function History({ view }: TabProps) {
  const q = query.value;
  const span_s = SPANS.find(([, s]) => String(s) === q.get("span"))?.[1] ?? 3600;
  const end = Number(q.get("end")) || null;
  const extra = q.get("series");
  const specs = useMemo(() => charts(extra), [extra]);
  const answer = useMemo(() => {
    const px = Math.min(1200, Math.max(200, document.documentElement.clientWidth - 120));
    const to = () => end ?? serverNow();
    return new Resource<Answer>(() => readHistory(view.id, specs, to() - span_s * 1000, to(), px));
  }, [view.id, specs, span_s, end]);
  useEffect(() => {
    void answer.load();
    const timer = end === null ? setInterval(() => document.visibilityState === "visible" && void answer.load(), FOLLOW_ms) : undefined;
    return () => {
      clearInterval(timer);
      answer.stop();
    };
  }, [answer]);
  const h = answer.value.value;
  const problem = answer.problem.value;
  const drawn = useMemo(() => (h ? specs.map((s) => lines(h, s)) : []), [h, specs]);
  return (
    <div class="stack page-history">
      <Bar span_s={span_s} end={end} />
      {problem && <ProblemBox what={t("hist.what")} problem={problem} retry={() => void answer.load()} />}
      {!h && !problem && <Skeleton height={720} label={t("hist.what")} />}
      {h && drawn.every((l) => summary(l) === null) && <Empty text={t("hist.empty")} />}
      {h && drawn.some((l) => summary(l) !== null) && (
        <>
          <p class="fine">{t("hist.band", { step: h.step_ms >= 60_000 ? `${fixed(h.step_ms / 60_000, 1)} min` : `${fixed(h.step_ms / 1000, 0)} s` })}</p>
          {specs.map((s, i) => (
            <Plot key={s.key} spec={s} data={drawn[i] as Lines} span={[h.from / 1000, h.to / 1000]} />
          ))}
        </>
      )}
    </div>
  );
}
