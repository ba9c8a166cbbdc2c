// SPDX-License-Identifier: Apache-2.0
// fleet.ts -- the fleet as this browser sees it: the summary, and windows of 100 rows of a list that the server filters and sorts.
// Rows change in place; their order stays as it was answered until somebody asks again, so nothing jumps under the pointer.
import { effect, signal, untracked } from "@preact/signals";
import { get } from "../core/api";
import type { FleetPage, FleetRow, FleetSummary } from "../core/types";
import { follow, on, reopened } from "../stream/client";
import { Resource } from "./resource";

const PAGE = 100;
const KEEP = 5; // pages
const SUMMARY_ms = 3000; // at most this often

export class FleetView {
  readonly summary = new Resource<FleetSummary>(() => get<FleetSummary>("/fleet/summary"));
  readonly total = signal<number | null>(null);
  readonly asOf = signal<number | null>(null);
  readonly moved = signal(false); // rows have changed that may stand elsewhere now
  readonly version = signal(0); // counts changes of the rows
  private pages = new Map<number, FleetRow[]>();
  private reading = new Map<number, Resource<FleetPage>>();
  private used: number[] = [];
  private filter = "";
  private sort = "";
  private states = new Map<string, string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  readonly first = new Resource<FleetPage>(
    () => this.readPage(0),
    (p) => this.arrive(0, p),
  );

  private readPage(page: number): Promise<FleetPage> {
    const q = new URLSearchParams({ offset: String(page * PAGE), limit: String(PAGE) });
    if (this.filter) q.set("f", this.filter);
    if (this.sort) q.set("sort", this.sort);
    return get<FleetPage>("/fleet/rows?" + q.toString());
  }

  private arrive(page: number, p: FleetPage): void {
    this.pages.set(page, p.rows);
    this.used = [page, ...this.used.filter((u) => u !== page)];
    for (const old of this.used.splice(KEEP)) this.pages.delete(old);
    for (const row of p.rows) this.states.set(row.id, row.state);
    this.total.value = p.total;
    this.asOf.value = p.as_of;
    this.version.value++;
  }

  /* Another filter or order: start from the top. */
  ask(filter: string, sort: string): void {
    this.filter = filter;
    this.sort = sort;
    this.refresh();
  }

  refresh(): void {
    for (const r of this.reading.values()) r.stop();
    this.reading.clear();
    this.moved.value = false;
    const old = [...this.pages.keys()];
    void this.first.load().then(() => {
      for (const page of old) if (page !== 0) this.pages.delete(page);
      this.version.value++;
    });
    void this.summary.load();
  }

  row(index: number): FleetRow | null {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE] ?? null;
  }

  /* Rows [first, last) are in view: read what is missing. */
  need(first: number, last: number): void {
    for (let page = Math.floor(first / PAGE); page * PAGE < last; page++) {
      if (this.pages.has(page) || this.reading.has(page) || page === 0) continue;
      const r = new Resource<FleetPage>(
        () => this.readPage(page),
        (p) => {
          this.reading.delete(page);
          this.arrive(page, p);
        },
      );
      this.reading.set(page, r);
      void r.load();
    }
  }

  private take(row: FleetRow): void {
    let found = false;
    for (const rows of this.pages.values()) {
      const i = rows.findIndex((r) => r.id === row.id);
      if (i < 0) continue;
      rows[i] = row;
      found = true;
    }
    if (!found || this.states.get(row.id) !== row.state) {
      if (this.sort || this.filter || !found) this.moved.value = true;
      this.summarySoon();
    }
    this.states.set(row.id, row.state);
    this.version.value++;
  }

  private summarySoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.summary.load();
    }, SUMMARY_ms / 6);
  }

  open(): () => void {
    const undo = [
      follow("fleet"),
      on<FleetRow>("fleet.row", (row) => this.take(row)),
      effect(() => {
        if (reopened.value) untracked(() => this.refresh());
      }),
    ];
    const timer = setInterval(() => void this.summary.load(), SUMMARY_ms * 3);
    return () => {
      clearInterval(timer);
      clearTimeout(this.timer);
      for (const fn of undo) fn();
    };
  }
}
