// SPDX-License-Identifier: Apache-2.0
// review.tsx -- the difference before the write: old, new, change, a tick for each. Calibrate is one confirm, because a restart undoes it;
// Flash needs a reason and the last 4 characters of the vehicle's name. Enter sends nothing.
import { useComputed } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../core/api";
import { Q, signed, val } from "../core/format";
import { tableWords, t } from "../core/i18n";
import type { Problem } from "../core/types";
import { catalogue } from "../data/catalogue";
import { crossed } from "../data/paramfile";
import type { ParamsView } from "../data/params";
import { Icon } from "../ui/glyph";
import { useVehicleFresh } from "../ui/live";
import { Dialog, ProblemBox } from "../ui/parts";
import { quantityOfRow, type RowData } from "./paramtable";
import type { TabProps } from "./vehicle";

export type Mode = "review" | "calibrate" | "flash";

const SMALL_mA = 5000;

interface ReviewProps extends TabProps {
  pv: ParamsView;
  rows: RowData[];
  mode: Mode;
  setMode: (mode: Mode | null) => void;
  hindrance: string | null;
}

function DiffRow({ r, was, ticked, tick, fixed }: { r: RowData; was: number | null; ticked: boolean; tick: () => void; fixed: boolean }) {
  const q = quantityOfRow(r.row);
  const name = tableWords(r.row.text);
  const change = r.draft !== null && r.running !== null ? signed(r.draft - r.running, q) : "";
  return (
    <tr data-param={r.row.name}>
      <td>
        <input type="checkbox" checked={ticked} disabled={fixed} aria-label={`${t("rev.col.take")}: ${name}`} onChange={tick} />
      </td>
      <td>
        {name}
        {was !== r.running && <small class="diff-base">{t("rev.base", { value: val(was, q) })}</small>}
        {r.row.restart && <small class="diff-base">{t("cal.restart")}</small>}
      </td>
      <td class="r">{val(r.running, q)}</td>
      <td class="r">
        <b>{val(r.draft, q)}</b>
      </td>
      <td class="r">{change}</td>
    </tr>
  );
}

function Diff({ rows, pv, off, toggle, fixed }: { rows: RowData[]; pv: ParamsView; off: ReadonlySet<number>; toggle: (id: number) => void; fixed: boolean }) {
  return (
    <div class="tablebox diff">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t("rev.col.take")}</th>
            <th scope="col">{t("cal.col.name")}</th>
            <th scope="col" class="r">{t("rev.col.old")}</th>
            <th scope="col" class="r">{t("rev.col.new")}</th>
            <th scope="col" class="r">{t("rev.col.change")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((r) => (
            <DiffRow key={r.row.id} r={r} was={pv.drafts.value.was[r.row.id] ?? null} ticked={!off.has(r.row.id)} tick={() => toggle(r.row.id)} fixed={fixed} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/* What runs now and would be stored with it. */
function Stores({ rows }: { rows: RowData[] }) {
  const list = rows.filter((r) => r.draft === null && r.running !== null && r.stored !== null && r.running !== r.stored);
  if (list.length === 0) return null;
  return (
    <div>
      <h3 class="sub">{t("rev.stores")}</h3>
      <ul class="plain-list">
        {list.map((r) => (
          <li>
            {tableWords(r.row.text)}: {val(r.stored, quantityOfRow(r.row))} → <b>{val(r.running, quantityOfRow(r.row))}</b>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Before({ view }: TabProps) {
  const fresh = useVehicleFresh(view);
  const level = useComputed(() => fresh.value.level).value;
  const online = view.facts.value.value?.row.online === true;
  const mA = view.frame.value?.scalars["pack_current_mA"] ?? null;
  const rows: [boolean, string][] = [
    [online, t("rev.pre.online")],
    [level === "live" || level === "late", t("rev.pre.live")],
    [mA !== null && Math.abs(mA) <= SMALL_mA, t("rev.pre.current", { value: val(mA, Q.current) })],
  ];
  return (
    <div>
      <h3 class="sub">{t("rev.pre")}</h3>
      <ul class="ticks">
        {rows.map(([ok, words]) => (
          <li class={ok ? "tick-ok" : "tick-no"}>
            <Icon name={ok ? "check" : "close"} /> {words}
          </li>
        ))}
      </ul>
      <p class="fine">{t("rev.pre.note")}</p>
    </div>
  );
}

interface GuardProps {
  id: string;
  reason: string;
  setReason: (s: string) => void;
  confirm: string;
  setConfirm: (s: string) => void;
}

function Guard({ id, reason, setReason, confirm, setConfirm }: GuardProps) {
  const wrong = confirm.length >= 4 && confirm !== id.slice(-4);
  return (
    <div class="guard">
      <label>
        <span>{t("rev.reason")}</span>
        <input name="reason" value={reason} maxLength={500} autocomplete="off" onInput={(e) => setReason(e.currentTarget.value)} />
      </label>
      <label>
        <span>{t("rev.confirm", { id })}</span>
        <input name="confirm" value={confirm} maxLength={8} autocomplete="off" autocapitalize="none" spellcheck={false} aria-invalid={wrong} onInput={(e) => setConfirm(e.currentTarget.value)} />
        <span class="refusal" role="alert">
          {wrong ? t("rev.confirm.wrong") : ""}
        </span>
      </label>
    </div>
  );
}

function goWords(mode: Mode, n: number): string {
  if (mode === "calibrate") return n === 1 ? t("rev.go.calibrate1") : t("rev.go.calibrate", { n });
  return n === 0 ? t("rev.go.flash0") : n === 1 ? t("rev.go.flash1") : t("rev.go.flash", { n });
}

export function Review({ pv, view, rows, mode, setMode, hindrance }: ReviewProps) {
  const [off, setOff] = useState<ReadonlySet<number>>(new Set());
  const [reason, setReason] = useState("");
  const [confirm, setConfirm] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const cancel = useRef<HTMLButtonElement>(null);
  useEffect(() => cancel.current?.focus(), [mode]);
  const drafted = rows.filter((r) => r.draft !== null);
  const taken = drafted.filter((r) => !off.has(r.row.id));
  const next = new Map(taken.map((r) => [r.row.id, r.draft as number]));
  const bad = catalogue.value.value ? crossed(catalogue.value.value, (id) => pv.byId.value.get(id)?.running ?? null, next) : [];
  const name = view.facts.value.value?.row.name || view.id;
  const guarded = mode === "flash" && (confirm !== view.id.slice(-4) || reason.trim() === "");
  const nothing = mode === "calibrate" && taken.length === 0;
  const stop = hindrance ?? (nothing ? t("rev.none") : null);
  const ready = mode !== "review" && !busy && bad.length === 0 && stop === null && !guarded;

  async function send(): Promise<void> {
    if (!ready) return;
    setBusy(true);
    setProblem(null);
    const values = taken.map((r) => ({ id: r.row.id, value: r.draft as number }));
    try {
      await pv.start(mode === "flash" ? { kind: "flash", values, reason: reason.trim(), confirm } : { kind: "calibrate", values });
      setMode(null);
    } catch (e) {
      setProblem(e instanceof ApiError ? e.problem : { title: "error", status: 0, code: "error", detail: String(e), request_id: "" });
      setBusy(false);
    }
  }

  function toggle(id: number): void {
    const copy = new Set(off);
    if (!copy.delete(id)) copy.add(id);
    setOff(copy);
  }

  const title = mode === "review" ? t("rev.title") : mode === "flash" ? t("rev.title.flash", { name }) : t("rev.title.calibrate", { name });
  const lead = mode === "review" ? t("rev.lead", { id: view.id }) : mode === "flash" ? t("rev.lead.flash") : t("rev.lead.calibrate");
  const foot = (
    <>
      <button ref={cancel} type="button" class="button" data-do="cancel" onClick={() => setMode(null)}>
        {t("cal.cancel")}
      </button>
      {mode === "review" ? (
        <>
          <button type="button" class="button primary" disabled={stop !== null || bad.length > 0} onClick={() => setMode("calibrate")}>
            {t("cal.calibrate")}
          </button>
          <button type="button" class="button" disabled={stop !== null || bad.length > 0} onClick={() => setMode("flash")}>
            {t("cal.flash")}
          </button>
        </>
      ) : (
        <button type="button" class="button primary" data-do="send" disabled={!ready} onClick={() => void send()}>
          {goWords(mode, taken.length)}
        </button>
      )}
    </>
  );
  return (
    <Dialog title={title} onClose={() => setMode(null)} foot={foot} class="review">
      <p>{lead}</p>
      {problem && <ProblemBox what={t(mode === "flash" ? "op.flash" : "op.calibrate")} problem={problem} />}
      {drafted.length > 0 && <Diff rows={drafted} pv={pv} off={off} toggle={toggle} fixed={busy} />}
      {bad.length > 0 && (
        <ul class="crossed" role="alert">
          {bad.map((b) => (
            <li>{t("rev.check", { low: tableWords(b.low.text), high: tableWords(b.high.text) })}</li>
          ))}
        </ul>
      )}
      {mode === "flash" && <Stores rows={rows} />}
      {mode === "flash" && <Before view={view} />}
      {mode === "flash" && <Guard id={view.id} reason={reason} setReason={setReason} confirm={confirm} setConfirm={setConfirm} />}
      {stop && (
        <p class="fine" role="status">
          {stop}
        </p>
      )}
    </Dialog>
  );
}
