// SPDX-License-Identifier: Apache-2.0
// import.tsx -- what a parameter file would change, and everything that is wrong with it, before any of it becomes a draft.
import { num, val } from "../core/format";
import { tableWords, t } from "../core/i18n";
import { catalogue, paramRow } from "../data/catalogue";
import { blocked, type ImportResult, type PackFacts } from "../data/paramfile";
import { Dialog } from "../ui/parts";
import { quantityOfRow } from "./paramtable";

interface ImportProps {
  file: string;
  result: ImportResult;
  pack: PackFacts;
  close: () => void;
  load: (changes: { id: number; value: number }[]) => void;
}

function wrongs(r: ImportResult, pack: PackFacts): string[] {
  const out: string[] = [];
  if (r.error !== null) out.push(t("imp.unreadable", { why: r.error }));
  if (r.otherTable !== null) out.push(t("imp.schema", { theirs: r.otherTable, ours: catalogue.value.value?.hash ?? "" }));
  if (r.otherPack !== null) out.push(t("imp.pack", { theirs: r.otherPack, ours: `${pack.chemistry}, ${pack.cells} cells` }));
  for (const name of r.notNumber) out.push(t("imp.type", { name }));
  for (const { row, value } of r.outside) {
    const q = quantityOfRow(row);
    out.push(t("imp.range", { name: row.name, value: val(value, q), range: `${num(row.min, q)} … ${val(row.max, q)}` }));
  }
  return out;
}

export function ImportDialog({ file, result, pack, close, load }: ImportProps) {
  const wrong = wrongs(result, pack);
  const stop = blocked(result);
  const n = result.changes.length;
  const foot = (
    <>
      <button type="button" class="button" onClick={close}>
        {t("cal.cancel")}
      </button>
      <button type="button" class="button primary" data-do="load" disabled={stop || n === 0} onClick={() => (load(result.changes), close())}>
        {t("imp.load", { n })}
      </button>
    </>
  );
  return (
    <Dialog title={t("imp.title", { file })} onClose={close} foot={foot} class="import">
      {wrong.length > 0 && (
        <ul class="crossed" role="alert">
          {wrong.map((w) => (
            <li>{w}</li>
          ))}
        </ul>
      )}
      {stop ? <p>{t("imp.blocked")}</p> : <p>{n === 0 ? t("imp.changes0") : t("imp.changes", { n })}</p>}
      {result.unknown.length > 0 && <p data-unknown>{t("imp.unknown", { list: result.unknown.join(", ") })}</p>}
      {result.error === null && result.missing > 0 && <p class="fine">{t("imp.missing", { n: result.missing })}</p>}
      {n > 0 && (
        <ul class="plain-list">
          {result.changes.map((c) => {
            const row = paramRow(c.id);
            return row ? (
              <li>
                {tableWords(row.text)}: <b>{val(c.value, quantityOfRow(row))}</b>
              </li>
            ) : null;
          })}
        </ul>
      )}
    </Dialog>
  );
}
