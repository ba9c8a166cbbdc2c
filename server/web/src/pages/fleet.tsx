// SPDX-License-Identifier: Apache-2.0
// fleet.tsx -- which vehicles need me now? Four counts that are filters, the worst first with reason and age, and all vehicles.
import { useComputed } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { age, clock, num, Q, val } from "../core/format";
import { colourful, judge, listPeriod } from "../core/freshness";
import { t, tr } from "../core/i18n";
import type { Key } from "../core/strings";
import { query, setQuery } from "../core/router";
import { second } from "../core/time";
import type { FleetRow, State } from "../core/types";
import { FleetView } from "../data/fleet";
import { serverLost } from "../stream/client";
import { Badge, Glyph, Icon } from "../ui/glyph";
import { ageText, None } from "../ui/live";
import { useNarrow } from "../ui/narrow";
import { Empty, ProblemBox, Skeleton } from "../ui/parts";
import { Virtual } from "../ui/virtual";

const STATES: State[] = ["alarm", "warning", "ok", "offline"];
const WAIT_ms = 200; // after the last key before the server is asked

interface Column {
  key: string; // sort key of the API, "" = not sortable
  words: Key;
  cls: string;
  unit?: string;
}

const COLUMNS: Column[] = [
  { key: "id", words: "col.vehicle", cls: "c-name" },
  { key: "state", words: "col.state", cls: "c-state" },
  { key: "soc_permyriad", words: "q.soc.short", cls: "c-num", unit: Q.soc.unit },
  { key: "", words: "q.voltage.short", cls: "c-num", unit: Q.pack.unit },
  { key: "", words: "q.current", cls: "c-num", unit: Q.current.unit },
  { key: "cell_min_mV", words: "q.min", cls: "c-num", unit: Q.cell.unit },
  { key: "cell_max_mV", words: "q.max", cls: "c-num", unit: Q.cell.unit },
  { key: "spread_mV", words: "q.spread", cls: "c-num", unit: Q.spread.unit },
  { key: "temp_max_ddegC", words: "q.tempmax", cls: "c-num", unit: Q.temp.unit },
  { key: "measured_at", words: "col.age", cls: "c-age" },
];

const stateOf = (filter: string) => /(?:^|\s)state:(\w+)/.exec(filter)?.[1] ?? "";
const wordsOf = (filter: string) => filter.replace(/(?:^|\s)state:\w+/g, "").trim();

function setFilter(words: string, state: string): void {
  setQuery({ f: [state ? "state:" + state : "", words.trim()].filter(Boolean).join(" ") });
}

function freshOf(row: FleetRow, now: number) {
  return judge({ measured_at: row.measured_at, received_at: row.received_at, period_ms: listPeriod(row.period_ms, row.mode), online: row.online, server_lost: serverLost.value }, now);
}

function Counts({ view, filter }: { view: FleetView; filter: string }) {
  const counts = view.summary.value.value?.counts;
  const on = stateOf(filter);
  return (
    <div class="counts" role="group" aria-label={t("fleet.counts")}>
      {STATES.map((s) => (
        <button type="button" class={`count count-${s}`} data-count={s} aria-pressed={on === s} onClick={() => setFilter(wordsOf(filter), on === s ? "" : s)}>
          <span class="count-n">{counts ? num(counts[s], { unit: "", divisor: 1, decimals: 0 }) : "\u00a0"}</span>
          <span class="count-w">
            <Glyph state={s} colour={!serverLost.value && (counts?.[s] ?? 0) > 0} />
            {tr("state." + s, "state.unknown")}
          </span>
        </button>
      ))}
    </div>
  );
}

function Attention({ view }: { view: FleetView }) {
  const s = view.summary.value.value;
  if (!s) return view.summary.problem.value ? null : <Skeleton height={88} label={t("fleet.attention")} />;
  if (s.attention.length === 0) return <p class="empty">{t("fleet.attention.none")}</p>;
  return (
    <ul class="attention">
      {s.attention.slice(0, 20).map((a) => (
        <li key={a.id}>
          <a href={`/v/${a.id}`}>
            <Badge state={a.state} colour={!serverLost.value} />
            <span class="attention-id">{a.id}</span>
            <span class="attention-why">{a.reason}</span>
            <SinceText at={a.since} />
          </a>
        </li>
      ))}
    </ul>
  );
}

function SinceText({ at }: { at: number }) {
  return <span class="attention-age">{t("fleet.attention.since", { age: age(second.value - at) })}</span>;
}

function Cell({ raw, quantity }: { raw: number | null; quantity: typeof Q.cell }) {
  return <span role="cell" class="c-num">{num(raw, quantity)}</span>;
}

function Row({ row, index }: { row: FleetRow; index: number }) {
  const level = useComputed(() => freshOf(row, second.value).level);
  const colour = colourful(level.value);
  return (
    <div role="row" class="vrow" aria-rowindex={index + 2} data-id={row.id} data-fresh={level}>
      <span role="cell" class="c-name">
        <a href={`/v/${row.id}`}>{row.name || row.id}</a>
        {row.name && row.name !== row.id && <small>{row.id}</small>}
      </span>
      <span role="cell" class="c-state">
        <Badge state={row.state} colour={colour} />
        <span class="c-reason" title={row.reason ?? ""}>
          {row.reason ?? (row.online ? tr("mode." + row.mode, "mode.unknown") : "")}
        </span>
      </span>
      <Cell raw={row.soc_permyriad} quantity={Q.soc} />
      <Cell raw={row.pack_voltage_mV} quantity={Q.pack} />
      <Cell raw={row.pack_current_mA} quantity={Q.current} />
      <Cell raw={row.cell_min_mV} quantity={Q.cell} />
      <Cell raw={row.cell_max_mV} quantity={Q.cell} />
      <Cell raw={row.spread_mV} quantity={Q.spread} />
      <Cell raw={row.temp_max_ddegC} quantity={Q.temp} />
      <RowAge row={row} />
    </div>
  );
}

function RowAge({ row }: { row: FleetRow }) {
  const f = freshOf(row, second.value);
  return (
    <span role="cell" class="c-age" title={ageText(f, row.link_at)}>
      {age(f.age_ms)}
    </span>
  );
}

function Card({ row, index }: { row: FleetRow; index: number }) {
  const f = freshOf(row, second.value);
  const colour = colourful(f.level);
  return (
    <div role="row" class="vcard" aria-rowindex={index + 2} data-id={row.id} data-fresh={f.level}>
      <a role="cell" href={`/v/${row.id}`}>
        <span class="vcard-head">
          <b>{row.name || row.id}</b>
          <Badge state={row.state} colour={colour} />
        </span>
        <span class="vcard-why">{row.reason ?? tr("mode." + row.mode, "mode.unknown")}</span>
        <span class="vcard-facts">
          <span>{row.soc_permyriad === null ? <None /> : val(row.soc_permyriad, { ...Q.soc, decimals: 0 })}</span>
          <span>{val(row.pack_voltage_mV, Q.pack)}</span>
          <span>{`Δ ${val(row.spread_mV, Q.spread)}`}</span>
          <span class="vcard-age">{age(f.age_ms)}</span>
        </span>
      </a>
    </div>
  );
}

function Head({ sort }: { sort: string }) {
  const by = sort.replace(/^-/, "");
  return (
    <div role="rowgroup" class="vhead">
      <div role="row" class="vrow" aria-rowindex={1}>
        {COLUMNS.map((c) => {
          const active = c.key !== "" && c.key === by;
          const dir = active ? (sort.startsWith("-") ? "descending" : "ascending") : undefined;
          const words = (
            <>
              {t(c.words)}
              {c.unit && <small> {c.unit}</small>}
            </>
          );
          return (
            <span role="columnheader" class={c.cls} aria-sort={dir}>
              {c.key ? (
                <button type="button" class="sort" onClick={() => setQuery({ sort: active && !sort.startsWith("-") ? "-" + c.key : active ? "" : c.key })}>
                  {words}
                  {active && <Icon name={dir === "descending" ? "down" : "up"} />}
                </button>
              ) : (
                words
              )}
            </span>
          );
        })}
      </div>
    </div>
  );
}

function List({ view, filter, sort }: { view: FleetView; filter: string; sort: string }) {
  void view.version.value;
  const narrow = useNarrow();
  const total = view.total.value;
  const problem = view.first.problem.value;
  if (problem && total === null) return <ProblemBox what={t("fleet.list")} problem={problem} retry={() => view.refresh()} />;
  if (total === null) return <Skeleton height={480} label={t("fleet.list")} />;
  if (total === 0 && filter) return <Empty text={t("fleet.none")} action={t("fleet.clear")} onAction={() => setQuery({ f: null })} />;
  if (total === 0) return <Empty text={t("fleet.empty")} />;
  const render = (i: number) => {
    const row = view.row(i);
    if (!row) return <div key={i} role="row" class={narrow ? "vcard vwait" : "vrow vwait"} aria-rowindex={i + 2} />;
    return narrow ? <Card key={row.id} row={row} index={i} /> : <Row key={row.id} row={row} index={i} />;
  };
  return (
    <Virtual
      total={total}
      row_px={narrow ? 92 : 36}
      label={t("fleet.list")}
      columns={narrow ? 1 : COLUMNS.length}
      head={narrow ? null : <Head sort={sort} />}
      render={render}
      onRange={(a, b) => view.need(a, b)}
    />
  );
}

function Search({ filter }: { filter: string }) {
  const [text, setText] = useState(wordsOf(filter));
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => setText(wordsOf(filter)), [filter]);
  function type(value: string): void {
    setText(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setFilter(value, stateOf(query.peek().get("f") ?? "")), WAIT_ms);
  }
  return (
    <label class="search">
      <Icon name="search" />
      <span class="sr">{t("fleet.search")}</span>
      <input type="search" value={text} placeholder={t("fleet.search")} title={t("fleet.search.hint")} maxLength={150} onInput={(e) => type(e.currentTarget.value)} />
    </label>
  );
}

function Total({ view }: { view: FleetView }) {
  const n = view.total.value;
  if (n === null) return null;
  return <span class="fine">{n === 1 ? t("fleet.total1") : t("fleet.total", { n: num(n, { unit: "", divisor: 1, decimals: 0 }) })}</span>;
}

function Order({ view }: { view: FleetView }) {
  if (!view.moved.value) return null;
  return (
    <span class="fine">
      {t("fleet.reorder", { time: clock(view.asOf.value) })}{" "}
      <button type="button" class="link" onClick={() => view.refresh()}>
        {t("fleet.refresh")}
      </button>
    </span>
  );
}

export function Fleet() {
  const view = useMemo(() => new FleetView(), []);
  const filter = query.value.get("f") ?? "";
  const sort = query.value.get("sort") ?? "";
  useEffect(() => view.open(), [view]);
  useEffect(() => view.ask(filter, sort), [view, filter, sort]);
  // The list stands below what needs attention: drawn only when that has its height, else it would jump.
  const settled = view.summary.value.value !== null || view.summary.problem.value !== null;
  return (
    <div class="page">
      <h1 class="sr">{t("fleet.title")}</h1>
      <Counts view={view} filter={filter} />
      <section class="panel" aria-labelledby="attention-h">
        <header class="panel-head">
          <h2 id="attention-h">{t("fleet.attention")}</h2>
        </header>
        <Attention view={view} />
      </section>
      {settled && (
        <section class="panel panel-list" aria-labelledby="list-h">
          <header class="panel-head panel-head-list">
            <h2 id="list-h">{t("fleet.list")}</h2>
            <Total view={view} />
            <Order view={view} />
            <Search filter={filter} />
          </header>
          <List view={view} filter={filter} sort={sort} />
        </section>
      )}
    </div>
  );
}
