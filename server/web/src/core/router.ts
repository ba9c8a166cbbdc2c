// SPDX-License-Identifier: Apache-2.0
// router.ts -- real paths, the whole view in the URL, Back restores the scroll position. No library: eight routes.
import { batch, computed, signal } from "@preact/signals";

export const path = signal(location.pathname);
export const query = signal(new URLSearchParams(location.search));

export type Route =
  | { page: "fleet" }
  | { page: "users" }
  | { page: "overview" | "cells" | "calibration" | "history" | "upgrade" | "failures"; id: string }
  | { page: "none" };

const VEHICLE = /^\/v\/([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)(?:\/(cells|calibration|history|upgrade|failures))?\/?$/;

export function routeOf(pathname: string): Route {
  if (pathname === "/" || pathname === "/fleet" || pathname === "/fleet/") return { page: "fleet" };
  if (pathname === "/users" || pathname === "/users/") return { page: "users" };
  const m = VEHICLE.exec(pathname);
  if (m?.[1]) return { page: (m[2] ?? "overview") as "overview", id: m[1] };
  return { page: "none" };
}

export const route = computed(() => routeOf(path.value));

function arrive(): void {
  batch(() => {
    path.value = location.pathname;
    query.value = new URLSearchParams(location.search);
  });
}

/* Go to another page; the scroll position of this one is kept for Back. `instead`: this one leaves the history. */
export function go(to: string, instead = false): void {
  if (to === location.pathname + location.search) return;
  history.replaceState({ y: scrollY }, "");
  if (instead) history.replaceState({ y: 0 }, "", to);
  else history.pushState({ y: 0 }, "", to);
  arrive();
  scrollTo(0, 0);
}

/* Change the query of this page in place (filter, sort, tab): no new history entry. Empty values are left out. */
export function setQuery(changes: Record<string, string | null>): void {
  const next = new URLSearchParams(location.search);
  for (const [k, v] of Object.entries(changes)) {
    if (v) next.set(k, v);
    else next.delete(k);
  }
  const text = next.toString();
  history.replaceState(history.state, "", location.pathname + (text ? "?" + text : ""));
  query.value = next;
}

/* Follow clicks on inner links and the browser's Back. Call once. */
export function startRouter(): void {
  history.scrollRestoration = "manual";
  addEventListener("popstate", (e) => {
    arrive();
    const y = (e.state as { y?: number } | null)?.y ?? 0;
    requestAnimationFrame(() => requestAnimationFrame(() => scrollTo(0, y)));
  });
  document.addEventListener("click", (e) => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const a = (e.target as Element).closest?.("a");
    if (!a || a.origin !== location.origin || a.target || a.hasAttribute("download") || a.getAttribute("href")?.startsWith("#")) return;
    e.preventDefault();
    go(a.pathname + a.search);
  });
}
