// SPDX-License-Identifier: Apache-2.0
// freshness.ts -- how old a group of values is, and what may still be said about it. Pure; <Live> draws what it says.
//
//   live     age <= 3 x expected period      plain
//   late     age <= 10 x                     age tag beside the group
//   stale    older, or no contact to the server: value readable, state colour gone
//   offline  the link says so; last known values stay
//   never    nothing was ever received
//
// Three clocks: measured_at (board), received_at (server), now (browser, corrected by the server's time).

export type Level = "live" | "late" | "stale" | "offline" | "never";

export interface Ages {
  measured_at: number | null; // board clock, UTC ms
  received_at: number | null; // server clock, UTC ms
  period_ms: number; // expected time between samples
  online: boolean | null; // the link as the server sees it; null = not known
  server_lost: boolean; // this browser has no contact to the server
  skewed?: boolean; // the board's clock is known to be behind, see skewed()
}

export interface Freshness {
  level: Level;
  at: number | null; // the instant the age counts from
  age_ms: number | null;
  by_server: boolean; // the board's clock is not trusted, `at` is when the server got it
}

const LATE = 3;
const STALE = 10;
const AHEAD_ms = 5_000; // a sample cannot be measured after it was received: beyond this the board clock is wrong

/* Does the board's clock make sense beside the server's? */
export function trusted(measured_at: number | null, received_at: number | null): boolean {
  if (measured_at === null || measured_at <= 0) return false;
  return received_at === null || measured_at - received_at <= AHEAD_ms;
}

const SKEW_FRAMES = 8;
const SKEW_ms = 2_000;
const JITTER_ms = 500;

/* `lags` are received - measured of the newest frames. A backlog grows or melts; a delay that stays the same over many frames is a clock that is
 * behind. (A constant delay of that length on the way cannot be told from it; frames that are watched come within a fraction of a second.) */
export function skewed(lags: readonly number[]): boolean {
  if (lags.length < SKEW_FRAMES) return false;
  const last = lags.slice(-SKEW_FRAMES);
  const low = Math.min(...last);
  return low > SKEW_ms && Math.max(...last) - low <= JITTER_ms;
}

/* What may be said about values of that age at `now_ms` (server time). */
export function judge(a: Ages, now_ms: number): Freshness {
  if (a.measured_at === null && a.received_at === null) return { level: "never", at: null, age_ms: null, by_server: false };
  const by_server = a.skewed === true || !trusted(a.measured_at, a.received_at);
  const at = (by_server ? a.received_at : a.measured_at) ?? a.measured_at;
  const age_ms = at === null ? null : Math.max(0, now_ms - at);
  const period = Math.max(1000, a.period_ms);
  let level: Level = "live";
  if (age_ms === null || age_ms > STALE * period) level = "stale";
  else if (age_ms > LATE * period) level = "late";
  if (a.server_lost) level = "stale";
  if (a.online === false) level = "offline";
  return { level, at, age_ms, by_server };
}

/* May the state colour be shown? Missing is never green, and old is never red. */
export function colourful(level: Level): boolean {
  return level === "live" || level === "late";
}

/* The fleet list is not watched sample by sample: a record carries a batch of samples (10, parked 60). */
export function listPeriod(period_ms: number, mode: string): number {
  return period_ms * (mode === "parked" ? 60 : 10);
}
