// SPDX-License-Identifier: Apache-2.0
// tables.tsx -- over a cable: a board whose tables are not this program's. Says so, and shows its parameters by its own names when asked; writes nothing.
import { useState } from "preact/hooks";
import { ApiError, post } from "../core/api";
import { COUNT, num } from "../core/format";
import { t } from "../core/i18n";
import type { BoardTables, Problem } from "../core/types";
import type { Resource } from "../data/resource";
import { ProblemBox } from "../ui/parts";

const problemOf = (e: unknown): Problem => (e instanceof ApiError ? e.problem : { title: "error", status: 0, code: "error", detail: String(e), request_id: "" });

function Rows({ tables }: { tables: BoardTables }) {
  const [words, setWords] = useState("");
  const rows = tables.params.filter((p) => p.name.toLowerCase().includes(words.toLowerCase()));
  return (
    <>
      <p class="cal-filters">
        <label class="search">
          <span class="sr">{t("cal.search")}</span>
          <input type="search" value={words} placeholder={t("cal.search")} maxLength={60} onInput={(e) => setWords(e.currentTarget.value)} />
        </label>
      </p>
      <div class="tablebox" tabIndex={0} role="region" aria-label={t("tab.rows")}>
        <table class="table" data-tables="board">
          <thead>
            <tr>
              <th scope="col">{t("tab.name")}</th>
              <th scope="col" class="r">{t("tab.running")}</th>
              <th scope="col" class="r">{t("tab.stored")}</th>
              <th scope="col">{t("tab.unit")}</th>
              <th scope="col" class="r">{t("tab.range")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((p) => (
              <tr key={p.id} data-param={p.name}>
                <td><code>{p.name}</code></td>
                <td class="r">{p.running}</td>
                <td class="r">{p.stored}</td>
                <td>{p.unit}</td>
                <td class="r">{p.min} … {p.max}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

export function OtherTables({ id, resource }: { id: string; resource: Resource<BoardTables> }) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const tables = resource.value.value;
  if (!tables?.board) return null;
  const reads = tables.state === "waiting" || tables.state === "working";

  async function read(): Promise<void> {
    setProblem(null);
    try {
      resource.value.value = await post<BoardTables>(`/vehicles/${id}/tables`, {});
    } catch (e) {
      setProblem(problemOf(e));
    }
  }

  return (
    <section class="panel" aria-labelledby="tab-h" data-other={tables.state}>
      <header class="panel-head">
        <h2 id="tab-h">{t("tab.title")}</h2>
      </header>
      <div class="stack panel-body">
        <p role="status">{t("tab.lead", { board: tables.board, ours: tables.ours })}</p>
        {problem && <ProblemBox what={t("tab.what")} problem={problem} />}
        {tables.detail && <p class="op-detail">{t("tab.failed", { why: tables.detail })}</p>}
        <p>
          <button type="button" class="button primary" data-do="tables" disabled={reads} onClick={() => void read()}>
            {reads ? t("tab.reading", { got: num(tables.got, COUNT) ?? "", size: num(tables.size, COUNT) ?? "" }) : tables.params.length > 0 ? t("tab.again") : t("tab.read")}
          </button>
        </p>
        {tables.params.length > 0 && <Rows tables={tables} />}
      </div>
    </section>
  );
}
