// SPDX-License-Identifier: Apache-2.0
// paramtable.tsx -- the table of parameters with its cell editor, and the sheet of one parameter.
// Double click, Enter or F2 opens the editor, Enter keeps the value as draft, Esc drops the edit, out of range is refused with the limit named.
import { Fragment } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { DASH, exact, num, parse, plain, quantityOf, val, type Quantity } from "../core/format";
import { groupWords, tableWords, t } from "../core/i18n";
import type { ParamRow } from "../core/types";

import { Icon } from "../ui/glyph";
import { useNarrow } from "../ui/narrow";
import { Dialog } from "../ui/parts";

export interface RowData {
  row: ParamRow;
  running: number | null;
  stored: number | null;
  desired: number | null;
  draft: number | null;
  dflt: number | null;
}

type Keep = (id: number, value: number | null) => void;

export const quantityOfRow = (row: ParamRow): Quantity => exact(quantityOf(row.unit));

/* One value alone is allowed: nothing to edit. */
export const isFixed = (row: ParamRow): boolean => row.min === row.max;

/* Read what was typed: a value in range, or the words that say why not. */
export function judgeInput(text: string, row: ParamRow): { value: number } | { refusal: string } {
  const q = quantityOfRow(row);
  const value = parse(text, q);
  if (value === null) return { refusal: t("cal.nan", { step: val(1, q) }) };
  if (isFixed(row) && value !== row.min) return { refusal: t("cal.fixed.why", { value: val(row.min, q) }) };
  if (value > row.max) return { refusal: t("cal.high", { limit: val(row.max, q) }) };
  if (value < row.min) return { refusal: t("cal.low", { limit: val(row.min, q) }) };
  return { value };
}

/* A column from a spreadsheet, put in from row `at` downwards: every value or none. Empty cells leave their row alone. */
export function judgeColumn(rows: readonly RowData[], at: number, text: string): { changes: { id: number; value: number }[] } | { refusal: string } {
  const cells = text.replace(/\r/g, "").replace(/\n$/, "").split("\n").map((line) => (line.split("\t")[0] ?? "").trim());
  if (cells.length > rows.length - at) return { refusal: t("cal.paste.long", { n: cells.length, rows: rows.length - at }) };
  const changes: { id: number; value: number }[] = [];
  for (const [i, cell] of cells.entries()) {
    const row = (rows[at + i] as RowData).row;
    if (cell === "") continue;
    const verdict = judgeInput(cell, row);
    if ("refusal" in verdict) return { refusal: t("cal.paste.refused", { name: tableWords(row.text), value: cell, why: verdict.refusal }) };
    changes.push({ id: row.id, value: verdict.value });
  }
  return { changes };
}

interface EditorProps {
  data: RowData;
  keep: Keep;
  done: () => void;
}

function Editor({ data, keep, done }: EditorProps) {
  const { row } = data;
  const q = quantityOfRow(row);
  const input = useRef<HTMLInputElement>(null);
  const closed = useRef(false);
  const [refusal, refuse] = useState("");
  useLayoutEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);

  function close(): void {
    closed.current = true;
    done();
  }

  function accept(): void {
    const text = input.current?.value ?? "";
    if (text.trim() === "") {
      keep(row.id, null);
      return close();
    }
    const verdict = judgeInput(text, row);
    if ("refusal" in verdict) return refuse(verdict.refusal);
    keep(row.id, verdict.value);
    close();
  }

  function key(e: KeyboardEvent): void {
    e.stopPropagation();
    if (e.key === "Enter") accept();
    else if (e.key === "Escape") close();
    else return;
    e.preventDefault();
  }

  function blur(): void {
    if (closed.current) return;
    const verdict = judgeInput(input.current?.value ?? "", row);
    if ("value" in verdict) keep(row.id, verdict.value);
    close();
  }

  const first = data.draft ?? data.running;
  return (
    <span class="editor">
      <input
        ref={input}
        inputMode="decimal"
        autocomplete="off"
        maxLength={20}
        aria-label={t("cal.edit.of", { name: tableWords(row.text) })}
        aria-invalid={refusal !== ""}
        aria-describedby={refusal ? "refusal" : undefined}
        defaultValue={first === null ? "" : plain(first, q)}
        onKeyDown={key}
        onBlur={blur}
        onDblClick={(e) => e.stopPropagation()}
      />
      {refusal && (
        <span class="refusal" id="refusal" role="alert">
          {refusal}
        </span>
      )}
    </span>
  );
}

function Mark({ data }: { data: RowData }) {
  const { row, running, stored, desired } = data;
  const q = quantityOfRow(row);
  const open = running !== null && stored !== null && running !== stored;
  return (
    <>
      {open && <span class="mark-word mark-open">{t("cal.notstored")}</span>}
      {desired !== null && desired !== running && <span class="mark-word">{t("cal.pending", { value: val(desired, q) })}</span>}
      {isFixed(row) && <span class="mark-word mark-quiet">{t("cal.fixed")}</span>}
      {row.restart && <span class="mark-word mark-quiet">{t("cal.restart")}</span>}
    </>
  );
}

interface RowProps extends EditorProps {
  can: boolean;
  editing: boolean;
  active: boolean;
  edit: () => void;
  activate: () => void;
  detail: () => void;
}

function Row({ data, can: may, editing, active, edit, activate, detail, keep, done }: RowProps) {
  const { row, running, stored, draft, dflt } = data;
  const q = quantityOfRow(row);
  const name = tableWords(row.text);
  const can = may && !isFixed(row);
  return (
    <tr data-param={row.name} data-fixed={isFixed(row)} class={draft !== null ? "has-draft" : ""} onDblClick={() => can && edit()}>
      <th scope="row">
        <span class="param-name" title={row.why}>
          <span>{name}</span>
          <code>{row.name}</code>
        </span>
      </th>
      <td class="r" data-col="running">{num(running, q)}</td>
      <td class="r" data-col="stored">{num(stored, q)}</td>
      <td class="r cell-draft" data-col="draft">
        {editing ? (
          <Editor data={data} keep={keep} done={done} />
        ) : can ? (
          <button
            type="button"
            class={draft === null ? "draft draft-none" : "draft"}
            tabIndex={active ? 0 : -1}
            aria-label={`${t("cal.edit.of", { name })}: ${draft === null ? DASH : val(draft, q)}`}
            onFocus={activate}
            onClick={(e) => e.detail === 0 && edit()}
          >
            {num(draft, q)}
          </button>
        ) : (
          num(draft, q)
        )}
      </td>
      <td class="unit-cell">{q.unit}</td>
      <td class="r quiet">{num(dflt, q)}</td>
      <td class="r quiet range">
        {isFixed(row) ? <span title={t("cal.fixed.why", { value: val(row.min, q) })}>{num(row.min, q)}</span> : `${num(row.min, q)} … ${num(row.max, q)}`}
      </td>
      <td class="marks">
        <Mark data={data} />
        <button type="button" class="icon-button param-info" tabIndex={-1} aria-label={t("cal.detail", { name })} onClick={detail} onDblClick={(e) => e.stopPropagation()}>
          <Icon name="info" />
        </button>
      </td>
    </tr>
  );
}

function Card({ data, detail }: { data: RowData; detail: () => void }) {
  const { row, running, draft } = data;
  const q = quantityOfRow(row);
  return (
    <li>
      <button type="button" class="param-card" data-param={row.name} onClick={detail}>
        <span class="param-card-name">{tableWords(row.text)}</span>
        <span class="param-card-value">
          {val(running, q)}
          {draft !== null && <b class="draft-text"> → {val(draft, q)}</b>}
        </span>
        <span class="marks">
          <Mark data={data} />
        </span>
      </button>
    </li>
  );
}

interface TableProps {
  rows: RowData[];
  can: boolean;
  keep: Keep;
  keepAll: (changes: { id: number; value: number }[]) => void; // one step for undo
  detail: (row: ParamRow) => void;
}

export function ParamTable({ rows: all, can, keep, keepAll, detail }: TableProps) {
  const rows = groupsOf(all).flatMap((g) => all.filter((r) => r.row.group === g)); // as they stand on the page
  const [refusal, refuse] = useState("");
  const [editing, setEditing] = useState<number | null>(null);
  const [active, setActive] = useState<number | null>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const narrow = useNarrow();
  const open = rows.filter((r) => !isFixed(r.row)); // where the keyboard goes
  const at = active !== null && open.some((r) => r.row.id === active) ? active : open[0]?.row.id;

  function focusRow(id: number | undefined): void {
    const i = rows.findIndex((r) => r.row.id === id);
    requestAnimationFrame(() => body.current?.querySelectorAll<HTMLElement>("tr[data-param]")[i]?.querySelector<HTMLElement>(".draft")?.focus());
  }

  function key(e: KeyboardEvent): void {
    if (editing !== null || at === undefined) return;
    const i = open.findIndex((r) => r.row.id === at);
    const step: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -i, End: open.length };
    const by = step[e.key];
    if (by !== undefined) {
      const next = open[Math.min(open.length - 1, Math.max(0, i + by))]?.row.id;
      setActive(next ?? null);
      focusRow(next);
    } else if (e.key === "F2" && can) setEditing(at);
    else if (e.key === "Delete" && can) keep(at, null);
    else return;
    e.preventDefault();
  }

  /* One value goes into the open editor by itself; a column, or a value without an editor, fills drafts. */
  function paste(e: ClipboardEvent): void {
    const text = e.clipboardData?.getData("text") ?? "";
    const i = rows.findIndex((r) => r.row.id === (editing ?? at));
    if (!can || i < 0 || text.trim() === "" || (editing !== null && !text.trim().includes("\n"))) return;
    e.preventDefault();
    const verdict = judgeColumn(rows, i, text);
    refuse("refusal" in verdict ? verdict.refusal : "");
    if ("changes" in verdict) {
      setEditing(null);
      keepAll(verdict.changes);
      focusRow(rows[i]?.row.id);
    }
  }

  if (narrow) return <Cards rows={rows} detail={detail} />;
  return (
    <div class="tablebox cal-table" role="region" aria-label={t("cal.what")} onKeyDown={key} onPaste={paste}>
      <p class="cal-paste" role="alert">
        {refusal}
      </p>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t("cal.col.name")}</th>
            <th scope="col" class="r">{t("cal.col.running")}</th>
            <th scope="col" class="r">{t("cal.col.stored")}</th>
            <th scope="col" class="r">{t("cal.col.draft")}</th>
            <th scope="col">{t("cal.col.unit")}</th>
            <th scope="col" class="r">{t("cal.col.default")}</th>
            <th scope="col" class="r">{t("cal.col.range")}</th>
            <th scope="col">{t("cal.col.mark")}</th>
          </tr>
        </thead>
        <tbody ref={body}>
          {groupsOf(rows).map((g) => (
            <Fragment key={g}>
              <tr class="group-row">
                <th colSpan={8} scope="rowgroup">
                  {groupWords(g)}
                </th>
              </tr>
              {rows
                .filter((r) => r.row.group === g)
                .map((r) => (
                  <Row
                    key={r.row.id}
                    data={r}
                    can={can}
                    editing={editing === r.row.id}
                    active={at === r.row.id}
                    edit={() => setEditing(r.row.id)}
                    activate={() => setActive(r.row.id)}
                    detail={() => detail(r.row)}
                    keep={keep}
                    done={() => {
                      setEditing(null);
                      setActive(r.row.id);
                      focusRow(r.row.id);
                    }}
                  />
                ))}
            </Fragment>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const groupsOf = (rows: RowData[]) => [...new Set(rows.map((r) => r.row.group))];

/* The same on a phone: a tap opens the sheet. */
function Cards({ rows, detail }: { rows: RowData[]; detail: (row: ParamRow) => void }) {
  return (
    <>
      {groupsOf(rows).map((g) => (
        <section key={g}>
          <h3 class="group-head">{groupWords(g)}</h3>
          <ul>
            {rows
              .filter((r) => r.row.group === g)
              .map((r) => (
                <Card key={r.row.id} data={r} detail={() => detail(r.row)} />
              ))}
          </ul>
        </section>
      ))}
    </>
  );
}

/* One parameter in full: on a phone the place to edit it. */
export function ParamSheet({ data, can: may, keep, close }: { data: RowData; can: boolean; keep: Keep; close: () => void }) {
  const { row, running, stored, draft, dflt } = data;
  const q = quantityOfRow(row);
  const [editing, setEditing] = useState(false);
  const [text, setText] = useState(draft ?? running ?? null);
  const [typed, type] = useState(text === null ? "" : plain(text, q));
  const [refusal, refuse] = useState("");
  const name = tableWords(row.text);
  const can = may && !isFixed(row);

  function accept(): void {
    const verdict = judgeInput(typed, row);
    if ("refusal" in verdict) return refuse(verdict.refusal);
    keep(row.id, verdict.value);
    setText(verdict.value);
    close();
  }

  const foot = (
    <>
      {draft !== null && (
        <button type="button" class="button" onClick={() => (keep(row.id, null), close())}>
          {t("cal.drop")}
        </button>
      )}
      <button type="button" class="button" onClick={close}>
        {t("cal.close")}
      </button>
      {can && !editing && (
        <button type="button" class="button primary" onClick={() => setEditing(true)}>
          {t("cal.edit")}
        </button>
      )}
      {can && editing && (
        <button type="button" class="button primary" onClick={accept}>
          {t("cal.keep")}
        </button>
      )}
    </>
  );
  const fact = (words: string, value: string) => (
    <div>
      <dt>{words}</dt>
      <dd>{value}</dd>
    </div>
  );
  return (
    <Dialog title={name} onClose={close} foot={foot} class="sheet">
      <code class="fine">{row.name}</code>
      {editing && (
        <label class="sheet-edit">
          <span>
            {t("cal.col.draft")}, {q.unit} ({t("cal.limits", { low: num(row.min, q), high: num(row.max, q) })})
          </span>
          <input inputMode="decimal" autocomplete="off" maxLength={20} value={typed} aria-invalid={refusal !== ""} autofocus onInput={(e) => (type(e.currentTarget.value), refuse(""))} />
          <span class="refusal" role="alert">
            {refusal}
          </span>
        </label>
      )}
      <dl class="facts">
        {fact(t("cal.col.running"), val(running, q))}
        {fact(t("cal.col.stored"), val(stored, q))}
        {fact(t("cal.col.draft"), val(draft, q))}
        {fact(t("cal.col.default"), val(dflt, q))}
        {!isFixed(row) && fact(t("cal.col.range"), t("cal.limits", { low: val(row.min, q), high: val(row.max, q) }))}
      </dl>
      {isFixed(row) && <p>{t("cal.fixed.why", { value: val(row.min, q) })}</p>}
      <p>
        <b>{t("cal.why")}:</b> {row.why}
      </p>
      <p class="marks">
        <Mark data={data} />
      </p>
    </Dialog>
  );
}
