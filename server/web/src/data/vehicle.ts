// SPDX-License-Identifier: Apache-2.0
// vehicle.ts -- one vehicle that a page looks at: read once, then kept up to date by the stream.
// A replayed or late event never puts an older frame over a newer one.
import { effect, signal, untracked } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { get } from "../core/api";
import { skewed } from "../core/freshness";
import type { FleetRow, Frame, State, Vehicle } from "../core/types";
import { follow, on, reopened } from "../stream/client";
import { Resource } from "./resource";

interface StateEvent {
  id: string;
  online: boolean;
  state: State;
  link_at: number | null;
  boot: number | null;
  version: string;
}

const LAGS_MAX = 16;
const REFRESH_ms = 60_000; // layout and journal are not in the stream

/* Is `next` newer than what is shown? */
export function newer(next: Frame, now: Frame | null): boolean {
  if (!now) return true;
  return next.boot === now.boot ? next.no > now.no : next.received_at >= now.received_at;
}

export class VehicleView {
  readonly frame = signal<Frame | null>(null);
  readonly skewed = signal(false); // the board's clock is behind
  readonly facts: Resource<Vehicle>;
  private lags: number[] = []; // of frames without a gap, newest last

  constructor(readonly id: string) {
    this.facts = new Resource<Vehicle>(
      () => get<Vehicle>(`/vehicles/${id}`),
      (v) => v.frame && this.take(v.frame),
    );
  }

  take(frame: Frame): void {
    const now = this.frame.peek();
    if (frame.id !== this.id || !newer(frame, now)) return;
    if (now?.boot !== frame.boot || now.no + 1 !== frame.no) this.lags = [];
    this.lags = [...this.lags, frame.received_at - frame.measured_at].slice(-LAGS_MAX);
    this.skewed.value = skewed(this.lags);
    this.frame.value = frame;
  }

  private patch(change: Partial<Vehicle["row"]>, facts: Partial<Vehicle> = {}): void {
    const v = this.facts.value.value;
    if (v) this.facts.value.value = { ...v, ...facts, row: { ...v.row, ...change } };
  }

  private takeState(s: StateEvent): void {
    if (s.id !== this.id) return;
    this.patch({ online: s.online, state: s.state, link_at: s.link_at }, { boot: s.boot, version: s.version });
    void this.facts.load();
  }

  /* Follow the vehicle until the returned function is called. */
  open(): () => void {
    const undo = [
      follow("v:" + this.id),
      on<Frame>("v.frame", (f) => this.take(f)),
      on<StateEvent>("v.state", (s) => this.takeState(s)),
      on<FleetRow>("fleet.row", (row) => row.id === this.id && this.patch(row)),
      on<{ id: string }>("params", (e) => e.id === this.id && void this.facts.load()),
      effect(() => {
        void reopened.value;
        untracked(() => void this.facts.load());
      }),
    ];
    const timer = setInterval(() => void this.facts.load(), REFRESH_ms);
    return () => {
      clearInterval(timer);
      this.facts.stop();
      for (const fn of undo) fn();
    };
  }
}

/* The vehicle of this page. */
export function useVehicle(id: string): VehicleView {
  const view = useMemo(() => new VehicleView(id), [id]);
  useEffect(() => view.open(), [view]);
  return view;
}
