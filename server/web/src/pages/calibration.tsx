// SPDX-License-Identifier: Apache-2.0
// calibration.tsx -- what runs now, what is stored, what would I change? Editing makes drafts; only Review leads to a write.
import { useComputed } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { session } from "../core/api";
import { age, clock, hash } from "../core/format";
import { groupWords, t } from "../core/i18n";
import { LOCAL } from "../core/local";
import { query, setQuery } from "../core/router";
import { second, serverNow } from "../core/time";
import type { BoardTables, ParamRow } from "../core/types";
import { catalogue } from "../data/catalogue";
import { count } from "../data/drafts";
import { exportFile, importFile, type ImportResult, type PackFacts } from "../data/paramfile";
import { ParamsView } from "../data/params";
import { usePolled } from "../data/poll";
import { serverLost } from "../stream/client";
import { Icon } from "../ui/glyph";
import { Empty, ProblemBox, Skeleton } from "../ui/parts";
import { ImportDialog } from "./import";
import { OpPanel } from "./operation";
import { ParamSheet, ParamTable, type RowData } from "./paramtable";
import { Review, type Mode } from "./review";
import { OtherTables } from "./tables";
import type { TabProps } from "./vehicle";
import "../styles/calibration.css";

/* May this role write? What a role never has is not shown. */
const mayWrite = (): boolean => session.value?.role === "engineer" || session.value?.role === "admin";

/* What is calibrated comes first; how the pack is wired, long and seldom touched, comes last. */
const ORDER = ["alarms", "balancing", "soc", "sampling", "", "pack"];
const place = (group: string) => (ORDER.includes(group) ? ORDER.indexOf(group) : ORDER.indexOf(""));

function rowsOf(pv: ParamsView, chemistry: string): RowData[] {
  const drafts = pv.drafts.value.values;
  const table = [...(catalogue.value.value?.params ?? [])].sort((a, b) => place(a.group) - place(b.group) || a.id - b.id);
  return table.map((row) => {
    const v = pv.byId.value.get(row.id);
    return {
      row,
      running: v?.running ?? null,
      stored: v?.stored ?? null,
      desired: v?.desired ?? null,
      draft: drafts[row.id] ?? null,
      dflt: row.defaults[chemistry] ?? null,
    };
  });
}

const unstored = (r: RowData) => r.running !== null && r.stored !== null && r.running !== r.stored;

function shownRows(rows: RowData[], words: string, group: string, only: boolean): RowData[] {
  const w = words.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((r) => {
    if (group && r.row.group !== group) return false;
    if (only && r.draft === null && !unstored(r)) return false;
    const text = `${r.row.name} ${r.row.text}`.toLowerCase();
    return w.every((x) => text.includes(x));
  });
}

/* Why nothing can be written now; null when it can. */
function useHindrance(view: TabProps["view"], pv: ParamsView): string | null {
  return useComputed(() => {
    if (serverLost.value) return t("cal.why.server");
    if (view.facts.value.value?.row.online === false) return t("cal.why.offline");
    if (pv.busy.value) return t("cal.why.busy");
    if (!pv.params.value.value?.values.some((v) => v.running !== null)) return t("cal.why.unread");
    return null;
  }).value;
}

function Banner({ pv, can }: { pv: ParamsView; can: boolean }) {
  const lost = pv.lost.value;
  if (!lost) return null;
  const n = Object.keys(lost.values).length;
  const time = clock(lost.at, false);
  return (
    <div class="banner" role="status" data-banner="restart">
      <span>{n === 1 ? t("cal.rebooted1", { time }) : t("cal.rebooted", { time, n })}</span>
      {can && (
        <button type="button" class="button" onClick={() => pv.loadLost()}>
          {n === 1 ? t("cal.rebooted.load") : t("cal.rebooted.loadn")}
        </button>
      )}
      <button type="button" class="link" onClick={() => pv.forgetLost()}>
        {t("cal.dismiss")}
      </button>
    </div>
  );
}

function ReadAge({ pv }: { pv: ParamsView }) {
  const at = pv.params.value.value?.read_at ?? null;
  return at === null ? null : <span>{t("cal.read", { age: age(second.value - at) })}</span>;
}

function Short({ pv, rows }: { pv: ParamsView; rows: RowData[] }) {
  const p = pv.params.value.value;
  const drafts = count(pv.drafts.value);
  const open = rows.filter(unstored).length;
  return (
    <p class="cal-short" aria-label={t("cal.state")}>
      <b data-drafts={drafts}>{drafts === 0 ? t("cal.drafts0") : drafts === 1 ? t("cal.drafts1") : t("cal.drafts", { n: drafts })}</b>
      <b data-unstored={open}>{open === 0 ? t("cal.unstored0") : t("cal.unstored", { n: open })}</b>
      <span>{t("cal.running.rev", { hash: hash(p?.running_hash) })}</span>
      <span>{t("cal.stored.rev", { hash: hash(p?.stored_hash) })}</span>
      <ReadAge pv={pv} />
    </p>
  );
}

function download(name: string, text: string): void {
  const a = document.createElement("a");
  a.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10_000);
}

interface ActionsProps {
  pv: ParamsView;
  rows: RowData[];
  pack: PackFacts;
  can: boolean;
  hindrance: string | null;
  review: (mode: Mode) => void;
  imported: (file: string, result: ImportResult) => void;
}

function Actions({ pv, rows, pack, can, hindrance, review, imported }: ActionsProps) {
  const file = useRef<HTMLInputElement>(null);
  const drafts = pv.drafts.value;
  const n = count(drafts);
  const p = pv.params.value.value;
  const cat = catalogue.value.value;
  const noCalibrate = hindrance ?? (n === 0 ? t("cal.why.nodrafts") : null);
  const noFlash = hindrance ?? (n === 0 && !rows.some(unstored) ? t("cal.why.nothing") : null);

  async function read(e: Event): Promise<void> {
    const input = e.currentTarget as HTMLInputElement;
    const chosen = input.files?.[0];
    if (chosen && cat && p) imported(chosen.name, importFile(await chosen.text(), cat, p, pack));
    input.value = "";
  }

  return (
    <div class="cal-actions" role="group" aria-label={t("cal.actions")}>
      {can && (
        <>
          <button type="button" class="icon-button" aria-label={t("cal.undo")} title={t("cal.undo")} disabled={drafts.done.length === 0} onClick={() => pv.undo()}>
            <Icon name="undo" />
          </button>
          <button type="button" class="icon-button" aria-label={t("cal.redo")} title={t("cal.redo")} disabled={drafts.undone.length === 0} onClick={() => pv.redo()}>
            <Icon name="redo" />
          </button>
          {n > 0 && (
            <button type="button" class="button" onClick={() => pv.discard()}>
              {t("cal.discard")}
            </button>
          )}
          {n === 0 && rows.some(unstored) && (
            <button type="button" class="button" onClick={() => pv.edit(rows.filter(unstored).map((r) => ({ id: r.row.id, value: r.stored })))}>
              {t("cal.revert")}
            </button>
          )}
        </>
      )}
      <button type="button" class="button" disabled={!p || !cat} onClick={() => cat && p && download(`${pack.id}-parameters.json`, exportFile(cat, p, pack, serverNow(), session.value?.user ?? ""))}>
        {t("cal.export")}
      </button>
      {can && (
        <>
          <button type="button" class="button" disabled={!p || !cat} onClick={() => file.current?.click()}>
            {t("cal.import")}
          </button>
          <input ref={file} type="file" accept=".json,application/json" hidden aria-label={t("cal.import")} onChange={(e) => void read(e)} />
          <button type="button" class="button" disabled={n === 0} onClick={() => review("review")}>
            {t("cal.review")}
          </button>
          <button type="button" class="button primary" data-do="calibrate" disabled={noCalibrate !== null} title={noCalibrate ?? ""} onClick={() => review("calibrate")}>
            {t("cal.calibrate")}
          </button>
          <button type="button" class="button" data-do="flash" disabled={noFlash !== null} title={noFlash ?? ""} onClick={() => review("flash")}>
            {t("cal.flash")}
          </button>
        </>
      )}
    </div>
  );
}

function Filters({ rows }: { rows: RowData[] }) {
  const q = query.value;
  const groups = [...new Set(rows.map((r) => r.row.group))];
  const only = q.get("only") === "1";
  return (
    <div class="cal-filters">
      <label class="search">
        <Icon name="search" />
        <span class="sr">{t("cal.search")}</span>
        <input type="search" value={q.get("q") ?? ""} placeholder={t("cal.search")} maxLength={60} onInput={(e) => setQuery({ q: e.currentTarget.value })} />
      </label>
      <label>
        <span class="sr">{t("cal.group")}</span>
        <select value={q.get("group") ?? ""} onChange={(e) => setQuery({ group: e.currentTarget.value })}>
          <option value="">{t("cal.group.all")}</option>
          {groups.map((g) => (
            <option value={g}>{groupWords(g)}</option>
          ))}
        </select>
      </label>
      <button type="button" class="button toggle" aria-pressed={only} onClick={() => setQuery({ only: only ? null : "1" })}>
        {t("cal.only")}
      </button>
    </div>
  );
}

/* Ctrl+Z and Ctrl+Y (Cmd on a Mac) anywhere on the page but in a text box. */
function useUndoKeys(pv: ParamsView, can: boolean): void {
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (!can || !(e.ctrlKey || e.metaKey) || e.target instanceof HTMLInputElement || e.target instanceof HTMLTextAreaElement) return;
      const k = e.key.toLowerCase();
      if (k === "z" && !e.shiftKey) pv.undo();
      else if (k === "y" || (k === "z" && e.shiftKey)) pv.redo();
      else return;
      e.preventDefault();
    };
    document.addEventListener("keydown", key);
    return () => document.removeEventListener("keydown", key);
  }, [pv, can]);
}

/* Opening the page reads the board when nobody has yet; over a cable always. */
function useReadOnce(pv: ParamsView, can: boolean, online: boolean): void {
  const done = useRef(false);
  const p = pv.params.value.value;
  useEffect(() => {
    if (done.current || !can || !online || !p || (p.read_at !== null && !LOCAL)) return;
    done.current = true;
    pv.start({ kind: "read" }).catch(() => {});
  }, [p, can, online]);
}

const TABLES_POLL_ms = 1000;

/* Over a cable the board may have other tables: then they are what there is to see. */
export function Calibration({ view }: TabProps) {
  return LOCAL ? <CableCalibration view={view} /> : <Parameters view={view} />;
}

function CableCalibration({ view }: TabProps) {
  const tables = usePolled<BoardTables>(`/vehicles/${view.id}/tables`, TABLES_POLL_ms);
  return (
    <>
      <OtherTables id={view.id} resource={tables} />
      <div hidden={Boolean(tables.value.value?.board)}>
        <Parameters view={view} />
      </div>
    </>
  );
}

function Parameters({ view }: TabProps) {
  const pv = useMemo(() => new ParamsView(view.id), [view.id]);
  const [mode, setMode] = useState<Mode | null>(null);
  const [file, setFile] = useState<{ name: string; result: ImportResult } | null>(null);
  const [detail, setDetail] = useState<ParamRow | null>(null);
  useEffect(() => pv.open(), [pv]);
  const can = mayWrite();
  const hindrance = useHindrance(view, pv);
  useUndoKeys(pv, can);
  const row = useComputed(() => view.facts.value.value?.row ?? null).value;
  useReadOnce(pv, can, row?.online === true);
  const p = pv.params.value.value;
  const problem = pv.params.problem.value ?? catalogue.problem.value;
  if (!row) return null;
  if ((!p || !catalogue.value.value) && problem) return <ProblemBox what={t("cal.what")} problem={problem} retry={() => void pv.params.load()} />;
  if (!p || !catalogue.value.value) return <Skeleton height={560} label={t("cal.what")} />;
  const layout = view.facts.value.value?.layout ?? []; // as configured; the first sample after a start may not have all cells
  const pack: PackFacts = { id: view.id, chemistry: row.chemistry, cells: layout.reduce((n, m) => n + m.cells, 0) || row.cells };
  const rows = rowsOf(pv, row.chemistry.toLowerCase());
  const q = query.value;
  const shown = shownRows(rows, q.get("q") ?? "", q.get("group") ?? "", q.get("only") === "1");
  const d = pv.drafts.value;
  const stale = count(d) > 0 && Object.entries(d.was).some(([id, v]) => (pv.byId.value.get(Number(id))?.running ?? null) !== v);
  return (
    <div class="stack page-cal">
      <Banner pv={pv} can={can} />
      {stale && (
        <div class="banner" role="status" data-banner="base">
          {t("cal.base.changed")}
        </div>
      )}
      <OpPanel pv={pv} />
      <section class="panel" aria-labelledby="cal-h">
        <header class="panel-head cal-head">
          <h2 id="cal-h">{t("cal.title")}</h2>
          <Short pv={pv} rows={rows} />
        </header>
        <div class="cal-bar">
          <Filters rows={rows} />
          <Actions pv={pv} rows={rows} pack={pack} can={can} hindrance={hindrance} review={setMode} imported={(name, result) => setFile({ name, result })} />
        </div>
        <p class="fine cal-hint" data-hindrance={hindrance ? "yes" : "no"}>
          {!can ? t("cal.forbidden") : hindrance ? hindrance : <CalHint />}
        </p>
        {p.read_at === null ? (
          <Empty text={t("cal.never")} action={t("cal.readnow")} onAction={() => void pv.start({ kind: "read" }).catch(() => {})} />
        ) : shown.length === 0 ? (
          <Empty text={t("cal.none")} action={t("fleet.clear")} onAction={() => setQuery({ q: null, group: null, only: null })} />
        ) : (
          <ParamTable rows={shown} can={can} keep={(id, value) => pv.edit([{ id, value }])} keepAll={(c) => pv.edit(c)} detail={setDetail} />
        )}
      </section>
      {mode && <Review pv={pv} view={view} rows={rows} mode={mode} setMode={setMode} hindrance={hindrance} />}
      {file && <ImportDialog file={file.name} result={file.result} pack={pack} close={() => setFile(null)} load={(c) => pv.edit(c)} />}
      {detail && <ParamSheet data={rows.find((r) => r.row.id === detail.id) as RowData} can={can} keep={(id, value) => pv.edit([{ id, value }])} close={() => setDetail(null)} />}
    </div>
  );
}

function CalHint() {
  return (
    <>
      <span class="wide-only">{t("cal.hint")}</span>
      <span class="narrow-only">{t("cal.hint.phone")}</span>
    </>
  );
}
