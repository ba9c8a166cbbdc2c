// SPDX-License-Identifier: Apache-2.0
// params.ts -- the three truths of one vehicle: Running and Stored as the board reported them, Draft in this browser; and the operation under way.
// A calibrated value that a restart took away is remembered here, so that it can be loaded as a draft.
import { computed, effect, signal, untracked } from "@preact/signals";
import { ApiError, get, post } from "../core/api";
import { recall, recallJson, remember, rememberJson } from "../core/keep";
import type { Op, Params, ParamValue } from "../core/types";
import { on, reopened } from "../stream/client";
import { edit, isDrafts, NO_DRAFTS, redo, undo, type Drafts } from "./drafts";
import { Resource } from "./resource";

interface Trial {
  boot: number | null; // in which board start these values were running, not stored
  values: Record<number, number>;
}

export interface Lost {
  at: number; // when the restart was seen, UTC ms
  values: Record<number, number>;
}

export interface OpOrder {
  kind: Op["kind"];
  values?: { id: number; value: number }[];
  reason?: string;
  confirm?: string;
}

const POLL_ms = 1000;
const FINAL = new Set<Op["state"]>(["done", "failed", "expired"]);

export class ParamsView {
  readonly params: Resource<Params>;
  readonly drafts = signal<Drafts>(NO_DRAFTS);
  readonly lost = signal<Lost | null>(null);
  readonly op = signal<Op | null>(null);
  readonly busy = computed(() => this.op.value !== null && this.op.value.kind !== "read" && !FINAL.has(this.op.value.state));
  readonly byId = computed(() => new Map((this.params.value.value?.values ?? []).map((v) => [v.id, v] as const)));
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly id: string) {
    this.params = new Resource<Params>(
      () => get<Params>(`/vehicles/${id}/params`),
      (p) => this.arrived(p),
    );
    this.lost.value = recallJson<Lost>("lost." + id);
    this.readDrafts();
  }

  private readDrafts(): void {
    const kept = recallJson<unknown>("draft." + this.id);
    this.drafts.value = isDrafts(kept) ? kept : NO_DRAFTS;
  }

  private readonly running = (id: number): number | null => this.byId.peek().get(id)?.running ?? null;

  private keep(d: Drafts): void {
    this.drafts.value = d;
    rememberJson("draft." + this.id, d === NO_DRAFTS ? null : d);
  }

  private base(): number | null {
    return this.params.value.peek()?.running_hash ?? null;
  }

  edit(wanted: readonly { id: number; value: number | null }[]): void {
    this.keep(edit(this.drafts.value, wanted, this.running, this.base()));
  }

  undo(): void {
    this.keep(undo(this.drafts.value, this.running, this.base()));
  }

  redo(): void {
    this.keep(redo(this.drafts.value, this.running, this.base()));
  }

  discard(): void {
    this.edit(Object.keys(this.drafts.value.values).map((id) => ({ id: Number(id), value: null })));
  }

  /* What a restart took away becomes drafts. */
  loadLost(): void {
    const lost = this.lost.value;
    if (lost) this.edit(Object.entries(lost.values).map(([id, value]) => ({ id: Number(id), value })));
    this.forgetLost();
  }

  forgetLost(): void {
    this.lost.value = null;
    remember("lost." + this.id, null);
  }

  private arrived(p: Params): void {
    const trial = recallJson<Trial>("trial." + this.id);
    if (trial && p.boot !== null && trial.boot !== p.boot) this.restarted(trial, p.values, p.read_at);
    const unstored = p.values.filter((v) => v.running !== null && v.stored !== null && v.running !== v.stored);
    const values = Object.fromEntries(unstored.map((v) => [v.id, v.running as number]));
    rememberJson("trial." + this.id, unstored.length ? { boot: p.boot, values } : null);
  }

  /* Another board start: which of the trial values are gone? `now` empty means: not read yet, all of them. */
  private restarted(trial: Trial, now: ParamValue[], at: number | null): void {
    const by = new Map(now.map((v) => [v.id, v.running]));
    const gone = Object.entries(trial.values).filter(([id, value]) => by.get(Number(id)) !== value);
    if (gone.length === 0) return;
    this.lost.value = { at: this.lost.value?.at ?? at ?? Date.now(), values: Object.fromEntries(gone) as Record<number, number> };
    rememberJson("lost." + this.id, this.lost.value);
  }

  private booted(e: { id: string; boot: number; at: number }): void {
    if (e.id !== this.id) return;
    const trial = recallJson<Trial>("trial." + this.id);
    if (trial && trial.boot !== e.boot) {
      this.lost.value = null;
      this.restarted(trial, [], e.at);
    }
    void this.params.load();
  }

  /* Start an operation. Throws ApiError when the server refuses it. */
  async start(order: OpOrder): Promise<void> {
    this.follow(await post<Op>(`/vehicles/${this.id}/ops`, order));
  }

  /* The server reads a board by itself when it starts or answers late: that hinders nobody and is not shown. */
  private heard(op: Op): void {
    if (op.kind !== "read" || op.op === this.op.peek()?.op) this.follow(op);
    else if (op.id === this.id && FINAL.has(op.state)) void this.params.load();
  }

  private follow(op: Op): void {
    const before = this.op.peek();
    if (op.id !== this.id || (before && before.op === op.op && before.changed_at > op.changed_at)) return;
    this.op.value = op;
    remember("op." + this.id, op.op);
    clearTimeout(this.timer);
    if (FINAL.has(op.state)) {
      if (!before || before.op !== op.op || !FINAL.has(before.state)) this.finished(op);
    } else this.timer = setTimeout(() => void this.poll(op.op), POLL_ms);
  }

  private finished(op: Op): void {
    const proved = (op.readback ?? []).filter((r) => r.ok).map((r) => r.id);
    const mine = proved.filter((id) => id in this.drafts.peek().values);
    if (op.state === "done" && mine.length && op.kind !== "read") this.edit(mine.map((id) => ({ id, value: null })));
    void this.params.load();
  }

  private async poll(op: string): Promise<void> {
    try {
      this.follow(await get<Op>(`/ops/${op}`));
    } catch (e) {
      if (e instanceof ApiError && e.problem.status === 404) {
        remember("op." + this.id, null);
        this.op.value = null;
      } else this.timer = setTimeout(() => void this.poll(op), POLL_ms * 2);
    }
  }

  /* Follow the vehicle's parameters until the returned function is called. The page follows the vehicle's topic itself. */
  open(): () => void {
    const storage = (e: StorageEvent) => e.key === "cw.draft." + this.id && this.readDrafts();
    addEventListener("storage", storage);
    const kept = recall("op." + this.id);
    if (kept) void this.poll(kept);
    const undoAll = [
      on<Op>("op", (op) => this.heard(op)),
      on<{ id: string }>("params", (e) => e.id === this.id && void this.params.load()),
      on<{ id: string; boot: number; at: number }>("v.boot", (e) => this.booted(e)),
      effect(() => {
        void reopened.value;
        untracked(() => void this.params.load());
      }),
    ];
    return () => {
      removeEventListener("storage", storage);
      clearTimeout(this.timer);
      this.params.stop();
      for (const fn of undoAll) fn();
    };
  }
}
