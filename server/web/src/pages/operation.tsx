// SPDX-License-Identifier: Apache-2.0
// operation.tsx -- the last operation on this vehicle: its phase with times, and what was read back from the board, parameter by parameter.
import { clock, val } from "../core/format";
import { tableWords, t, tr } from "../core/i18n";
import type { Op } from "../core/types";
import { paramRow } from "../data/catalogue";
import type { ParamsView } from "../data/params";
import { Icon } from "../ui/glyph";
import { quantityOfRow } from "./paramtable";

const PHASES: Op["state"][] = ["queued", "sent", "done"];

function Phases({ op }: { op: Op }) {
  const failed = op.state === "failed" || op.state === "expired";
  const at = failed ? PHASES.length - 1 : PHASES.indexOf(op.state);
  return (
    <ol class="phases">
      {PHASES.map((phase, i) => {
        const state = i === PHASES.length - 1 && failed ? op.state : phase;
        const key = state === "done" && (op.kind === "read" || op.kind === "restart") ? "op.done.read" : "op." + state;
        return (
          <li class={i < at ? "phase phase-past" : i === at ? "phase phase-now" : "phase"} aria-current={i === at ? "step" : undefined}>
            {tr(key, "op.queued")}
          </li>
        );
      })}
    </ol>
  );
}

function Readback({ op }: { op: Op }) {
  const rows = op.readback ?? [];
  if (rows.length === 0) return null;
  return (
    <div class="tablebox">
      <table class="table readback">
        <caption class="sr">{t("op.readback")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("cal.col.name")}</th>
            <th scope="col" class="r">{t("op.wanted")}</th>
            <th scope="col" class="r">{t("cal.col.running")}</th>
            <th scope="col" class="r">{t("cal.col.stored")}</th>
            <th scope="col">{t("op.result")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((r) => {
            const row = paramRow(r.id);
            const show = (v: number | null) => (row ? val(v, quantityOfRow(row)) : String(v));
            return (
              <tr data-param={row?.name} data-ok={r.ok ? "yes" : "no"}>
                <td>{row ? tableWords(row.text) : r.id}</td>
                <td class="r">{show(r.wanted)}</td>
                <td class="r">{show(r.running)}</td>
                <td class="r">{show(r.stored)}</td>
                <td>
                  <span class={r.ok ? "tick-ok" : "tick-no"}>
                    <Icon name={r.ok ? "check" : "close"} /> {r.ok ? t("op.equal") : t("op.differs")}
                  </span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

export function OpPanel({ pv }: { pv: ParamsView }) {
  const op = pv.op.value;
  if (!op) return null;
  return (
    <section class="panel op" aria-labelledby="op-h" data-op={op.state} data-kind={op.kind}>
      <header class="panel-head">
        <h2 id="op-h">{t("op.title")}</h2>
        <span class="fine">
          {tr("op." + op.kind, "op.title")} · {op.by} · {clock(op.created_at)} – {clock(op.changed_at)}
          {op.reason ? ` · ${op.reason}` : ""}
        </span>
      </header>
      <Phases op={op} />
      {op.detail && <p class="op-detail">{op.detail}</p>}
      <Readback op={op} />
    </section>
  );
}
