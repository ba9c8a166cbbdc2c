// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import * as f from "../src/core/format";

const T = f.THIN;

test("cell voltage is whole millivolts with a thin gap", () => {
  assert.equal(f.num(3321, f.Q.cell), `3${T}321`);
  assert.equal(f.num(999, f.Q.cell), "999");
  assert.equal(f.val(3321, f.Q.cell), `3${T}321\u00a0mV`);
});

test("a value that is not known is an en dash, never 0 and without a unit", () => {
  for (const none of [null, undefined, NaN, Infinity]) {
    assert.equal(f.num(none, f.Q.cell), "–");
    assert.equal(f.val(none, f.Q.soc), "–");
  }
  assert.equal(f.num(0, f.Q.cell), "0");
});

test("negative numbers carry U+2212, and there is no negative zero", () => {
  assert.equal(f.num(-48000, f.Q.current), "−48.0");
  assert.equal(f.num(-49, f.Q.current), "0.0");
  assert.equal(f.num(-51, f.Q.current), "−0.1");
  assert.equal(f.signed(28, f.Q.cell), "+28");
  assert.equal(f.signed(-28, f.Q.cell), "−28");
  assert.equal(f.signed(0, f.Q.cell), "0");
});

test("quantities have fixed decimals", () => {
  assert.equal(f.num(318_800, f.Q.pack), "318.8");
  assert.equal(f.num(5400, f.Q.soc), "54.0");
  assert.equal(f.num(235, f.Q.temp), "23.5");
  assert.equal(f.num(318_800 * 12_400, f.Q.power), "4.0");
});

test("no number is rounded onto or across a limit", () => {
  const V = { unit: "V", divisor: 1000, decimals: 1 };
  assert.equal(f.num(2_799_960, V, 2_800_000), `2${T}799.9`); // one below by rounding would read 2 800.0
  assert.equal(f.num(2_800_040, V, 2_800_000), `2${T}800.1`);
  assert.equal(f.num(2_800_000, V, 2_800_000), `2${T}800.0`); // exactly the limit may read the limit
  assert.equal(f.num(2_799_960, V), `2${T}800.0`);
});

test("property: for all values near a limit the shown number is on the same side as the value", () => {
  const V = { unit: "V", divisor: 1000, decimals: 1 };
  for (let limit = 2700; limit <= 2900; limit += 7)
    for (let raw = limit - 120; raw <= limit + 120; raw++) {
      const shown = f.roundAway(raw, V, limit) * 1000;
      if (raw < limit) assert.ok(shown < limit, `${raw} against ${limit} shows ${shown}`);
      if (raw > limit) assert.ok(shown > limit, `${raw} against ${limit} shows ${shown}`);
      assert.ok(Math.abs(shown - raw) <= 100.0001);
    }
});

test("what is written can be read back", () => {
  for (const unit of ["mV", "mA", "0.1 degC", "0.01 %", "ms", "mAh", "ohm", ""]) {
    const q = f.exact(f.quantityOf(unit));
    for (const raw of [0, 1, -1, 9, 10, 99, 100, 1234, -40_000, 2_000_000]) {
      assert.equal(f.parse(f.num(raw, q), q), raw, `${raw} ${unit}`);
      assert.equal(f.parse(f.plain(raw, q), q), raw, `${raw} ${unit}`);
    }
  }
});

test("what is no number, or finer than a step, is refused", () => {
  const q = f.exact(f.quantityOf("0.1 degC"));
  for (const text of ["", " ", "abc", "1e3", "0x10", "1.2.3", "--1", "23.55", "NaN", "Infinity", "12 V"]) assert.equal(f.parse(text, q), null, text);
  assert.equal(f.parse("23,5", q), 235);
  assert.equal(f.parse("+1 000.5", q), 10_005);
});

test("ages are short and do not go below zero", () => {
  const N = "\u00a0";
  assert.equal(f.age(-5000), `0${N}s`);
  assert.equal(f.age(2_999), `2${N}s`);
  assert.equal(f.age(59_999), `59${N}s`);
  assert.equal(f.age(60_000), `1${N}min`);
  assert.equal(f.age(3_600_000 * 3 + 600_000), `3${N}h${N}10`);
  assert.equal(f.age(86_400_000 * 3 + 3_600_000 * 4), `3${N}d${N}4${N}h`);
  assert.equal(f.age(null), "–");
});

test("insulation changes to MΩ, and the top of the range says so", () => {
  const N = "\u00a0";
  assert.equal(f.insulation(850), `850${N}kΩ`);
  assert.equal(f.insulation(1420), `1.42${N}MΩ`);
  assert.equal(f.insulation(60_000), `>${T}10${N}MΩ`);
  assert.equal(f.insulation(null), "–");
});

test("numbers of cells are written as ranges from three on", () => {
  assert.equal(f.ranges([1, 2, 3, 7]), "1–3, 7");
  assert.equal(f.ranges([4, 5]), "4, 5");
  assert.equal(f.ranges([]), "");
});

test("a hash is eight digits, signed or not", () => {
  assert.equal(f.hash(-1), `ffff${T}ffff`);
  assert.equal(f.hash(1), `0000${T}0001`);
});
