// SPDX-License-Identifier: Apache-2.0
// hub.ts -- one event stream for all tabs of a browser. Runs in a SharedWorker, or in the tab that leads (see client.ts).
//
//   tab --hello/topics/alive/bye--> hub --GET stream?topics=--> server
//   tab <-----event/link----------- hub <----events------------
//
// The stream carries the union of the tabs' topics; a change is posted without a reconnect. A break is retried at once, then
// after 1, 2 and at most 3 s with the last event id. 13 s without a byte count as a break: the server ticks every 10 s.
// Times to a tab are durations, never clocks: the tab's clock may be another one.
import { SseParser, type SseEvent } from "./sse";

export type ToHub =
  | { t: "hello"; topics: string[]; csrf: string }
  | { t: "topics"; topics: string[] }
  | { t: "alive" }
  | { t: "bye" };

export type Link = { state: "connecting" | "open" | "lost" | "denied"; lost_for_ms: number; retry_in_ms: number };
export type FromHub = { t: "event"; event: string; data: unknown } | { t: "link"; link: Link };

export interface HubIo {
  fetch: (path: string, init: RequestInit) => Promise<Response>;
  now: () => number; // monotonic ms
  after: (ms: number, fn: () => void) => number;
  cancel: (timer: number) => void;
}

export interface HubPort {
  post: (msg: FromHub) => void;
}

interface Tab {
  topics: string[];
  seen: number; // when it last spoke; background tabs speak about once a minute
}

const SILENCE_ms = 13_000;
const ANSWER_ms = 8_000;
const TAB_GONE_ms = 180_000;
const RETRY_ms = [0, 1000, 2000, 3000];

export class Hub {
  private tabs = new Map<HubPort, Tab>();
  private csrf = "";
  private sid = "";
  private lastId = "";
  private sent = ""; // topics the server knows, joined
  private tries = 0;
  private lostAt: number | null = null;
  private retryAt = 0;
  private state: Link["state"] = "connecting";
  private abort: AbortController | null = null;
  private silence = 0;
  private retry = 0;
  private topicsTimer = 0;
  private serverTime: { utc_ms: number; at: number } | null = null;
  private build = "";

  constructor(private readonly io: HubIo) {}

  take(port: HubPort, msg: ToHub): void {
    if (msg.t === "bye") {
      this.tabs.delete(port);
    } else {
      const tab = this.tabs.get(port) ?? { topics: [], seen: 0 };
      tab.seen = this.io.now();
      if (msg.t !== "alive") tab.topics = msg.topics;
      this.tabs.set(port, tab);
    }
    if (msg.t === "hello") this.welcome(port, msg.csrf);
    this.forgetGone();
    this.topicsChanged();
  }

  private welcome(port: HubPort, csrf: string): void {
    const fresh = csrf !== this.csrf;
    this.csrf = csrf;
    port.post({ t: "link", link: this.link() });
    if (this.serverTime) {
      const data = { server_time: this.serverTime.utc_ms + this.io.now() - this.serverTime.at, build: this.build };
      port.post({ t: "event", event: "hello", data });
    }
    if (fresh || this.state === "denied" || this.abort === null) this.connect();
  }

  private forgetGone(): void {
    for (const [port, tab] of this.tabs) if (this.io.now() - tab.seen > TAB_GONE_ms) this.tabs.delete(port);
    if (this.tabs.size === 0) this.close("connecting");
  }

  private union(): string {
    const all = new Set<string>();
    for (const tab of this.tabs.values()) for (const topic of tab.topics) all.add(topic);
    return [...all].sort().slice(0, 32).join(",");
  }

  private topicsChanged(): void {
    if (this.state !== "open" || !this.sid || this.union() === this.sent) return;
    this.io.cancel(this.topicsTimer);
    this.topicsTimer = this.io.after(30, () => void this.postTopics());
  }

  private async postTopics(): Promise<void> {
    const topics = this.union();
    if (this.state !== "open" || topics === this.sent) return;
    this.sent = topics;
    const body = JSON.stringify({ topics: topics ? topics.split(",") : [] });
    try {
      const headers = { "Content-Type": "application/json", "X-CSRF": this.csrf };
      const res = await this.io.fetch(`/api/v1/stream/${encodeURIComponent(this.sid)}/topics`, { method: "POST", headers, body });
      if (!res.ok) this.broke();
    } catch {
      this.broke();
    }
  }

  private close(state: Link["state"]): void {
    this.io.cancel(this.silence);
    this.io.cancel(this.retry);
    this.abort?.abort();
    this.abort = null;
    this.sid = "";
    this.state = state;
  }

  private connect(): void {
    this.close(this.lostAt === null ? "connecting" : "lost");
    if (this.tabs.size === 0) return;
    const abort = new AbortController();
    this.abort = abort;
    this.listen(ANSWER_ms);
    this.tell();
    void this.run(abort);
  }

  private async run(abort: AbortController): Promise<void> {
    const topics = this.union();
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (this.lastId) headers["Last-Event-ID"] = this.lastId;
    try {
      const res = await this.io.fetch(`/api/v1/stream?topics=${encodeURIComponent(topics)}`, { headers, signal: abort.signal, cache: "no-store" });
      if (this.abort !== abort) return;
      if (res.status === 401 || res.status === 403) return this.deny();
      if (!res.ok || !res.body) return this.broke();
      this.sent = topics;
      await this.read(res.body, abort);
    } catch {
      /* broken or silent: the same */
    }
    if (this.abort === abort) this.broke();
  }

  private async read(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const parser = new SseParser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.abort !== abort) return;
      this.listen(SILENCE_ms);
      for (const e of parser.push(decoder.decode(value, { stream: true }))) this.event(e);
    }
  }

  private event(e: SseEvent): void {
    let data: Record<string, unknown>;
    try {
      data = JSON.parse(e.data) as Record<string, unknown>;
    } catch {
      return; // one bad event does not stop the others
    }
    if (e.id) this.lastId = e.id;
    if (typeof data["server_time"] === "number") this.serverTime = { utc_ms: data["server_time"], at: this.io.now() };
    if (e.event === "hello") this.opened(data);
    for (const port of this.tabs.keys()) port.post({ t: "event", event: e.event, data });
  }

  private opened(data: Record<string, unknown>): void {
    this.sid = String(data["sid"] ?? "");
    this.build = String(data["build"] ?? "");
    this.state = "open";
    this.tries = 0;
    this.lostAt = null;
    this.tell();
    this.topicsChanged();
  }

  private listen(ms: number): void {
    this.io.cancel(this.silence);
    this.silence = this.io.after(ms, () => this.broke());
  }

  private broke(): void {
    this.close("lost");
    this.lostAt ??= this.io.now();
    const wait = RETRY_ms[Math.min(this.tries++, RETRY_ms.length - 1)] as number;
    this.retryAt = this.io.now() + wait;
    this.retry = this.io.after(wait, () => this.connect());
    this.tell();
  }

  private deny(): void {
    this.close("denied");
    this.lastId = "";
    this.tell();
  }

  private link(): Link {
    const now = this.io.now();
    const lost = this.state === "lost" && this.lostAt !== null;
    return { state: this.state, lost_for_ms: lost ? now - (this.lostAt as number) : 0, retry_in_ms: lost ? Math.max(0, this.retryAt - now) : 0 };
  }

  private tell(): void {
    for (const port of this.tabs.keys()) port.post({ t: "link", link: this.link() });
  }
}
