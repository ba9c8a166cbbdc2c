// SPDX-License-Identifier: Apache-2.0
// paramfile.ts -- parameters as a .json file: what is written, and everything that can be wrong with one that comes back. Pure.
import type { Catalogue, ParamRow, Params } from "../core/types";

const FORMAT = "cellwarden-parameters";
const MAX_CHARS = 1_000_000;

export interface PackFacts {
  id: string;
  chemistry: string;
  cells: number;
}

export interface ImportResult {
  error: string | null; // not a parameter file at all
  changes: { id: number; value: number }[]; // differ from what runs
  unknown: string[];
  notNumber: string[];
  outside: { row: ParamRow; value: number }[];
  missing: number;
  otherTable: string | null; // the hash of the table the file was made with, when it is another
  otherPack: string | null; // "lfp, 160 cells", when it is another
}

export const blocked = (r: ImportResult): boolean =>
  r.error !== null || r.notNumber.length > 0 || r.outside.length > 0 || r.otherTable !== null || r.otherPack !== null;

const packWords = (p: { chemistry: string; cells: number }) => `${p.chemistry}, ${p.cells} cells`;

/* The file: running and stored copy, raw integers in the unit of the table. */
export function exportFile(catalogue: Catalogue, params: Params, pack: PackFacts, at_utc_ms: number, by: string): string {
  const of = (which: "running" | "stored") =>
    Object.fromEntries(catalogue.params.flatMap((row) => {
      const value = params.values.find((v) => v.id === row.id)?.[which] ?? null;
      return value === null ? [] : [[row.name, value]];
    }));
  const file = {
    format: FORMAT,
    version: 1,
    vehicle: pack.id,
    chemistry: pack.chemistry,
    cells: pack.cells,
    table: catalogue.hash,
    exported_at: new Date(at_utc_ms).toISOString(),
    exported_by: by,
    running_hash: params.running_hash,
    stored_hash: params.stored_hash,
    values: of("running"),
    stored: of("stored"),
  };
  return JSON.stringify(file, null, 2) + "\n";
}

const nothing = (error: string | null): ImportResult => ({ error, changes: [], unknown: [], notNumber: [], outside: [], missing: 0, otherTable: null, otherPack: null });

/* Everything at once: nothing is half read. */
export function importFile(text: string, catalogue: Catalogue, params: Params, pack: PackFacts): ImportResult {
  if (text.length > MAX_CHARS) return nothing("larger than 1 MB");
  let file: Record<string, unknown>;
  try {
    file = JSON.parse(text) as Record<string, unknown>;
  } catch (e) {
    return nothing(e instanceof Error ? e.message : "not JSON");
  }
  if (typeof file !== "object" || file === null || file["format"] !== FORMAT) return nothing(`"format" is not "${FORMAT}"`);
  const values = file["values"];
  if (typeof values !== "object" || values === null || Array.isArray(values)) return nothing('"values" is missing');
  const r = nothing(null);
  if (file["table"] !== catalogue.hash) r.otherTable = String(file["table"]);
  const theirs = { chemistry: String(file["chemistry"]), cells: Number(file["cells"]) };
  if (theirs.chemistry !== pack.chemistry || theirs.cells !== pack.cells) r.otherPack = packWords(theirs);
  take(values as Record<string, unknown>, catalogue, params, r);
  return r;
}

function take(values: Record<string, unknown>, catalogue: Catalogue, params: Params, r: ImportResult): void {
  const rows = new Map(catalogue.params.map((row) => [row.name, row]));
  for (const [name, value] of Object.entries(values)) {
    const row = rows.get(name);
    if (!row) r.unknown.push(name);
    else if (typeof value !== "number" || !Number.isInteger(value)) r.notNumber.push(name);
    else if (value < row.min || value > row.max) r.outside.push({ row, value });
    else if (params.values.find((v) => v.id === row.id)?.running !== value) r.changes.push({ id: row.id, value });
  }
  r.missing = catalogue.params.filter((row) => !(row.name in values)).length;
}

/* Pairs of parameters of one alarm that must keep their order: `low` < `high`. */
export function pairs(catalogue: Catalogue): { low: ParamRow; high: ParamRow }[] {
  const by = new Map(catalogue.params.map((p) => [p.name, p]));
  const out: { low: ParamRow; high: ParamRow }[] = [];
  const put = (a: ParamRow | undefined, b: ParamRow | undefined) => {
    const x = a?.defaults["nmc"] ?? 0;
    const y = b?.defaults["nmc"] ?? 0;
    if (a && b && x !== y) out.push(x < y ? { low: a, high: b } : { low: b, high: a });
  };
  for (const alarm of catalogue.alarms) {
    put(by.get(alarm.name + "_limit"), by.get(alarm.name + "_clear"));
    put(by.get(alarm.name + "_limit"), by.get(alarm.name + "_warning_limit"));
  }
  return out;
}

/* The pairs that the new values would put in the wrong order. Only pairs that are touched count. */
export function crossed(catalogue: Catalogue, now: (id: number) => number | null, next: ReadonlyMap<number, number>): { low: ParamRow; high: ParamRow }[] {
  return pairs(catalogue).filter(({ low, high }) => {
    if (!next.has(low.id) && !next.has(high.id)) return false;
    const a = next.get(low.id) ?? now(low.id);
    const b = next.get(high.id) ?? now(high.id);
    return a !== null && b !== null && a >= b;
  });
}
