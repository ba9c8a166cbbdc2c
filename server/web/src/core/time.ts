// SPDX-License-Identifier: Apache-2.0
// time.ts -- the server's clock in the browser. The PC clock is not asked: it may be an hour wrong and the ages must stay right.
import { signal } from "@preact/signals";

let base_utc_ms = Date.now(); // until the server has spoken
let base_mono_ms = performance.now();

/* The server said what time it is. `late_ms` is how long ago it said so. */
export function setServerTime(utc_ms: number, late_ms = 0): void {
  base_utc_ms = utc_ms + late_ms;
  base_mono_ms = performance.now();
  second.value = serverNow();
}

/* Now, UTC milliseconds, by the server's clock. */
export function serverNow(): number {
  return base_utc_ms + (performance.now() - base_mono_ms);
}

/* Moves once a second; whoever shows an age reads it. */
export const second = signal(serverNow());

export function startClock(): void {
  setInterval(() => (second.value = serverNow()), 1000);
}
