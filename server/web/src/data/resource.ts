// SPDX-License-Identifier: Apache-2.0
// resource.ts -- something read from the server: its value, whether it is being read, and what went wrong.
// A server that does not answer is asked again for as long as somebody looks; a refusal is shown and waits for "Try again".
import { signal, type Signal } from "@preact/signals";
import { ApiError } from "../core/api";
import type { Problem } from "../core/types";

const RETRY_ms = 2000;

export class Resource<T> {
  readonly value: Signal<T | null> = signal(null);
  readonly problem: Signal<Problem | null> = signal(null);
  readonly loading = signal(false);
  private turn = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly read: () => Promise<T>,
    private readonly arrived: (value: T) => void = () => {},
  ) {}

  /* Read (again). The old value stays until the new one is there; an answer that was overtaken is dropped. */
  async load(): Promise<void> {
    const turn = ++this.turn;
    clearTimeout(this.timer);
    this.loading.value = true;
    try {
      const value = await this.read();
      if (turn !== this.turn) return;
      this.value.value = value;
      this.problem.value = null;
      this.arrived(value);
    } catch (e) {
      if (turn !== this.turn) return;
      const problem = e instanceof ApiError ? e.problem : { title: "error", status: 0, code: "error", detail: String(e), request_id: "" };
      this.problem.value = problem;
      if (problem.status === 0 || problem.status >= 500) this.timer = setTimeout(() => void this.load(), RETRY_ms);
    } finally {
      if (turn === this.turn) this.loading.value = false;
    }
  }

  stop(): void {
    this.turn++;
    clearTimeout(this.timer);
  }
}
