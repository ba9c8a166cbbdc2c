// SPDX-License-Identifier: Apache-2.0
// theme.ts -- light, dark, or as the system says; and the token colours for whoever draws on a canvas.
import { effect, signal } from "@preact/signals";
import { recall, remember } from "./keep";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const kept = recall("theme");
const system = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(system.matches);
system.addEventListener("change", (e) => (systemDark.value = e.matches));

export const theme = signal<Theme>(kept === "light" || kept === "dark" ? kept : "auto");
export const dark = signal(false);

effect(() => {
  dark.value = theme.value === "dark" || (theme.value === "auto" && systemDark.value);
  document.documentElement.dataset["theme"] = dark.value ? "dark" : "light";
});

export function setTheme(next: Theme): void {
  theme.value = next;
  remember("theme", next === "auto" ? null : next);
}

export type Token = "page" | "surface" | "raised" | "ink" | "ink-2" | "hairline" | "control" | "act" | "ok" | "warn" | "alarm" | "offline";

/* The colour of a token as it is now. Read `dark.value` in the caller to draw again when the theme changes. */
export function color(token: Token): string {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + token).trim();
}
