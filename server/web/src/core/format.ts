// SPDX-License-Identifier: Apache-2.0
// format.ts -- every number the console shows is written here, and nowhere else.
//
// Values come as engineering integers (see proto/openapi.yaml). Each quantity has one divisor, one number of decimals and one
// unit, so a column keeps its width and the same quantity looks the same on every page. A value that is not known is an en dash.
// A number is never rounded onto or across a limit: 2 799.6 mV does not read 2 800 beside a limit of 2 800.

export const MINUS = "\u2212"; // U+2212, as wide as a digit in tabular figures
export const DASH = "\u2013"; // en dash: no value
export const THIN = "\u202f"; // narrow no-break space, the thousands gap

export interface Quantity {
  readonly unit: string;
  readonly divisor: number; // integer on the wire per shown unit
  readonly decimals: number;
}

const q = (unit: string, divisor: number, decimals: number): Quantity => ({ unit, divisor, decimals });

/* The quantities that pages name directly. */
export const Q = {
  cell: q("mV", 1, 0),
  spread: q("mV", 1, 0),
  pack: q("V", 1000, 1),
  current: q("A", 1000, 1),
  power: q("kW", 1_000_000_000, 1), // of the product mV * mA, which is in microwatts
  soc: q("%", 100, 1),
  temp: q("°C", 10, 1),
} as const;

/* Units of proto/ tables -> how a person reads them. Anything else is shown as it is. */
const UNITS: Record<string, Quantity> = {
  "0.1 degC": q("°C", 10, 1),
  "0.01 %": q("%", 100, 1),
  mV: q("mV", 1, 0),
  V: q("V", 1, 0),
  mA: q("A", 1000, 1),
  A: q("A", 1, 0),
  ddegC: q("°C", 10, 1),
  degC: q("°C", 1, 0),
  permille: q("%", 10, 1),
  permyriad: q("%", 100, 2),
  percent: q("%", 1, 0),
  ms: q("ms", 1, 0),
  s: q("s", 1, 0),
  min: q("min", 1, 0),
  h: q("h", 1, 0),
  kohm: q("kΩ", 1, 0),
  ohm: q("Ω", 1, 0),
  uohm: q("µΩ", 1, 0),
  mohm: q("mΩ", 1, 0),
  mAh: q("Ah", 1000, 1),
  Ah: q("Ah", 1, 0),
  dAh: q("Ah", 10, 1),
  Wh: q("Wh", 1, 0),
  W: q("W", 1, 0),
  km: q("km", 1, 0),
};

const PLAIN = q("", 1, 0);
export const COUNT = PLAIN;

/* The same quantity with every digit that the wire's integer has: a parameter is never shown rounded. */
export function exact(quantity: Quantity): Quantity {
  return { ...quantity, decimals: Math.round(Math.log10(quantity.divisor)) };
}

/* The quantity of a signal row: pack and supply voltages are read in V, cell voltages in mV. */
export function quantityOfSignal(name: string, unit: string): Quantity {
  return unit === "mV" && !name.startsWith("cell_") ? Q.pack : quantityOf(unit);
}

/* The quantity of a unit name in the proto/ tables. Never fails: an unknown unit is shown in its own words. */
export function quantityOf(unit: string): Quantity {
  if (unit === "" || unit === "1" || unit === "count" || unit === "enum" || unit === "bits" || unit === "bool" || unit === "-") return PLAIN;
  return UNITS[unit] ?? q(unit, 1, 0);
}

function group(digits: string): string {
  return digits.length <= 3 ? digits : digits.replace(/\B(?=(\d{3})+(?!\d))/g, THIN);
}

/* Write a finite number with fixed decimals, U+2212 and thousands gaps. "-0" is written "0". */
export function fixed(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  const [whole = "0", fraction] = text.split(".");
  const negative = value < 0 && Number(text) !== 0;
  return (negative ? MINUS : "") + group(whole) + (fraction === undefined ? "" : "." + fraction);
}

/* Round `raw` to the shown decimals without landing on or crossing `limit` (both on the wire's scale). */
export function roundAway(raw: number, quantity: Quantity, limit: number | null): number {
  const scale = 10 ** quantity.decimals;
  const exact = (raw / quantity.divisor) * scale;
  let shown = Math.round(exact);
  if (limit !== null && raw !== limit) {
    const mark = (limit / quantity.divisor) * scale;
    if (raw < limit && shown >= mark) shown = Math.ceil(mark) - 1;
    if (raw > limit && shown <= mark) shown = Math.floor(mark) + 1;
  }
  return shown / scale;
}

/* A value without its unit, for columns whose header names the unit. */
export function num(raw: number | null | undefined, quantity: Quantity, limit: number | null = null): string {
  if (raw === null || raw === undefined || !Number.isFinite(raw)) return DASH;
  return fixed(roundAway(raw, quantity, limit), quantity.decimals);
}

/* A value with its unit. */
export function val(raw: number | null | undefined, quantity: Quantity, limit: number | null = null): string {
  const text = num(raw, quantity, limit);
  return text === DASH || quantity.unit === "" ? text : text + "\u00a0" + quantity.unit;
}

/* A difference, always with its sign: "+12", "−28", "0". */
export function signed(raw: number | null | undefined, quantity: Quantity): string {
  const text = num(raw, quantity);
  if (text === DASH || raw === null || raw === undefined) return text;
  return roundAway(raw, quantity, null) > 0 ? "+" + text : text;
}

/* What a person typed, in the shown unit, back to the wire's integer; null if it is not such a number. */
export function parse(text: string, quantity: Quantity): number | null {
  const plain = text.replace(/[\s\u202f\u00a0]/g, "").replace(",", ".").replace(/^[\u2212\u2013]/, "-");
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(plain)) return null;
  const raw = Number(plain) * quantity.divisor;
  const whole = Math.round(raw);
  return Math.abs(raw - whole) < 1e-6 && Number.isSafeInteger(whole) ? whole : null;
}

/* A value as text for an input box: no gaps, ASCII minus, no more decimals than needed. */
export function plain(raw: number, quantity: Quantity): string {
  return String(raw / quantity.divisor);
}

/* Insulation resistance, from kOhm: "850 kΩ", "1.42 MΩ"; the top of the range reads "> 10 MΩ". */
export function insulation(kohm: number | null | undefined): string {
  if (kohm === null || kohm === undefined) return DASH;
  if (kohm > 10_000) return `>${THIN}10\u00a0MΩ`;
  return kohm < 1000 ? val(kohm, q("kΩ", 1, 0)) : `${fixed(kohm / 1000, 2)}\u00a0MΩ`;
}

/* A CRC as eight hexadecimal digits, in two groups. */
export function hash(crc: number | null | undefined): string {
  if (crc === null || crc === undefined) return DASH;
  const text = (crc >>> 0).toString(16).padStart(8, "0");
  return text.slice(0, 4) + THIN + text.slice(4);
}

/* How long ago, short: "2 s", "4 min", "3 h 10", "3 d 4 h". Below zero counts as zero. */
export function age(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return DASH;
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s}\u00a0s`;
  const min = Math.floor(s / 60);
  if (min < 60) return `${min}\u00a0min`;
  const h = Math.floor(min / 60);
  if (h < 24) return `${h}\u00a0h\u00a0${String(min % 60).padStart(2, "0")}`;
  return `${group(String(Math.floor(h / 24)))}\u00a0d\u00a0${h % 24}\u00a0h`;
}

const two = (n: number) => String(n).padStart(2, "0");

/* Clock time in the browser's zone, "08:45:56"; with `seconds` false "08:45". */
export function clock(utc_ms: number | null, seconds = true): string {
  if (utc_ms === null) return DASH;
  const d = new Date(utc_ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}` + (seconds ? `:${two(d.getSeconds())}` : "");
}

/* Date and time in the browser's zone, "2026-11-22 08:45:56". */
export function stamp(utc_ms: number | null): string {
  if (utc_ms === null) return DASH;
  const d = new Date(utc_ms);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${clock(utc_ms)}`;
}

/* The zone that clock() and stamp() write in, named once per page: "UTC+8". */
export function zone(at = new Date()): string {
  const min = -at.getTimezoneOffset();
  if (min === 0) return "UTC";
  const rest = Math.abs(min) % 60;
  return `UTC${min < 0 ? MINUS : "+"}${Math.floor(Math.abs(min) / 60)}${rest ? ":" + two(rest) : ""}`;
}

/* Numbers of cells as ranges: [1,2,3,7] -> "1–3, 7". The list must be sorted. */
export function ranges(numbers: readonly number[]): string {
  const out: string[] = [];
  for (let i = 0; i < numbers.length; ) {
    let j = i;
    while (j + 1 < numbers.length && numbers[j + 1] === (numbers[j] as number) + 1) j++;
    if (j - i >= 2) out.push(`${numbers[i]}${DASH}${numbers[j]}`);
    else for (let k = i; k <= j; k++) out.push(String(numbers[k]));
    i = j + 1;
  }
  return out.join(", ");
}
