// SPDX-License-Identifier: Apache-2.0
// i18n.ts -- which language is spoken, and t(), which speaks it.
import { effect, signal } from "@preact/signals";
import { recall, remember } from "./keep";
import { STRINGS, type Key } from "./strings";

export const LANGUAGES = ["en", "zh"] as const;
export type Lang = (typeof LANGUAGES)[number];

function first(): Lang {
  const kept = recall("lang");
  if (kept === "en" || kept === "zh") return kept;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export const lang = signal<Lang>(first());

effect(() => {
  document.documentElement.lang = lang.value === "zh" ? "zh-Hans" : "en";
});

export function setLang(next: Lang): void {
  lang.value = next;
  remember("lang", next);
}

/* The words of `key`, with {names} filled in. Reading it in a component follows the language. */
export function t(key: Key, args?: Record<string, string | number>): string {
  const text: string = STRINGS[key][lang.value === "zh" ? 1 : 0];
  return args ? text.replace(/\{(\w+)\}/g, (_, name: string) => String(args[name] ?? "")) : text;
}

/* The words of a key made at run time ("quality." + reason), or of `otherwise` when there is no such key. */
export function tr(key: string, otherwise: Key): string {
  return t(key in STRINGS ? (key as Key) : otherwise);
}

/* The word of a group of parameters; a group that this console does not know is shown by its own name. */
export function groupWords(group: string): string {
  const key = "group." + group;
  return key in STRINGS ? t(key as Key) : group;
}

/* Words of a row of the tables, as a label: without requirement ids and programmer's asides, first letter upper case. */
export function tableWords(text: string): string {
  const plain = text.replace(/ \([A-Z]{2}-\d+(, [A-Z]{2}-\d+)*\)/g, "").replace(/, enum \w+$/, "");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}
