// SPDX-License-Identifier: Apache-2.0
// keep.ts -- small things that survive a reload (localStorage). A browser that refuses storage loses them and nothing else.

export function recall(key: string): string | null {
  try {
    return localStorage.getItem("cw." + key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem("cw." + key);
    else localStorage.setItem("cw." + key, value);
  } catch {
    /* full or forbidden */
  }
}

/* A remembered JSON value, or null if it is absent or not JSON. */
export function recallJson<T>(key: string): T | null {
  const text = recall(key);
  if (text === null) return null;
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}

export const rememberJson = (key: string, value: unknown) => remember(key, value === null ? null : JSON.stringify(value));
