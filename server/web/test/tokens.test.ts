// SPDX-License-Identifier: Apache-2.0
// The colour tokens of src/styles/tokens.css: contrast after WCAG 2.2, and the distance of the state colours in OKLab for normal vision and for
// protanopia, deuteranopia and tritanopia (Machado, Oliveira, Fernandes 2009, severity 1.0, on linear RGB).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

type Rgb = [number, number, number];

const css = readFileSync("src/styles/tokens.css", "utf8");
const block = (selector: string) => css.slice(css.indexOf(selector), css.indexOf("}", css.indexOf(selector)));
const tokens = (text: string) => Object.fromEntries([...text.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/gi)].map((m) => [m[1] as string, m[2] as string]));
const THEMES: Record<string, Record<string, string>> = { light: tokens(block(":root {")), dark: tokens(block(':root[data-theme="dark"]')) };

const linear = (hex: string): Rgb => [1, 3, 5].map((i) => {
  const v = parseInt(hex.slice(i, i + 2), 16) / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
}) as Rgb;

function contrast(a: string, b: string): number {
  const lum = (hex: string) => linear(hex).reduce((s, v, i) => s + v * ([0.2126, 0.7152, 0.0722][i] as number), 0);
  const [hi, lo] = [lum(a), lum(b)].sort((x, y) => y - x) as [number, number];
  return (hi + 0.05) / (lo + 0.05);
}

const VISION: Record<string, number[]> = {
  normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protan: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deutan: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritan: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};

function oklab([r, g, b]: Rgb): Rgb {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s, 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s, 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s];
}

function seen(hex: string, vision: number[]): Rgb {
  const c = linear(hex);
  return [0, 3, 6].map((i) => Math.min(1, Math.max(0, (vision[i] as number) * c[0] + (vision[i + 1] as number) * c[1] + (vision[i + 2] as number) * c[2]))) as Rgb;
}

const distance = (a: Rgb, b: Rgb) => 100 * Math.hypot(...a.map((v, i) => v - (b[i] as number)));

for (const [theme, t] of Object.entries(THEMES)) {
  test(`check 31: text has a contrast of at least 4.5 on every ground, ${theme}`, () => {
    for (const ground of ["page", "surface", "raised"]) for (const text of ["ink", "ink-2", "act"]) assert.ok(contrast(t[text]!, t[ground]!) >= 4.5, `${text} on ${ground}: ${contrast(t[text]!, t[ground]!).toFixed(2)}`);
    assert.ok(contrast(t["on-alarm"]!, t["alarm"]!) >= 4.5);
    assert.ok(contrast(t["on-act"]!, t["act"]!) >= 4.5);
    assert.ok(contrast(t["page"]!, t["ink"]!) >= 4.5);
  });

  test(`check 31: marks have a contrast of at least 3 on page and surface, ${theme}`, () => {
    for (const ground of ["page", "surface"]) for (const mark of ["ok", "warn", "alarm", "offline", "control"]) assert.ok(contrast(t[mark]!, t[ground]!) >= 3, `${mark} on ${ground}: ${contrast(t[mark]!, t[ground]!).toFixed(2)}`);
  });

  test(`check 31: state colours are at least 12 OKLab apart in four kinds of vision, ${theme}`, () => {
    for (const [a, b] of [["ok", "warn"], ["warn", "alarm"], ["ok", "alarm"]] as const)
      for (const [name, m] of Object.entries(VISION)) {
        const d = distance(oklab(seen(t[a]!, m)), oklab(seen(t[b]!, m)));
        assert.ok(d >= 12, `${a} and ${b}, ${name}: ${d.toFixed(1)}`);
      }
  });
}
