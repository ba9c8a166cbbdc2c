// SPDX-License-Identifier: Apache-2.0
// client.ts -- a tab's side of the one stream per browser: topics in, events and the state of the link out.
//
// Where the hub runs: in a SharedWorker; without one (Chrome on Android) in the tab that holds the Web Lock, the others reach it by
// BroadcastChannel; without locks (plain http on Android) in this tab alone.
import { effect, signal } from "@preact/signals";
import { session } from "../core/api";
import { setServerTime } from "../core/time";
import { Hub, type FromHub, type HubIo, type HubPort, type Link, type ToHub } from "./hub";
import workerUrl from "./worker?sharedworker&url";

export const link = signal<Link & { at: number }>({ state: "connecting", lost_for_ms: 0, retry_in_ms: 0, at: performance.now() });
export const serverLost = signal(false); // only after 2 s without contact: a reconnect is not worth a word
export const reopened = signal(0); // counts the returns after a loss and each `resync`: whoever shows data reads it again
export const newBuild = signal(false); // the server is of another build than when this page was loaded

type Handler = (data: never) => void;
const handlers = new Map<string, Set<Handler>>();
const topics = new Map<string, number>();
let send: (msg: ToHub) => void = () => {};
let build = "";
let lostTimer: ReturnType<typeof setTimeout> | undefined;

/* Call `fn` with each event of that name. Returns the undo. */
export function on<T>(event: string, fn: (data: T) => void): () => void {
  const set = handlers.get(event) ?? new Set();
  handlers.set(event, set);
  set.add(fn as Handler);
  return () => set.delete(fn as Handler);
}

/* Look at a topic until the returned function is called. */
export function follow(topic: string): () => void {
  topics.set(topic, (topics.get(topic) ?? 0) + 1);
  tellTopics();
  return () => {
    const left = (topics.get(topic) ?? 1) - 1;
    if (left) topics.set(topic, left);
    else topics.delete(topic);
    tellTopics();
  };
}

let pending = false;
function tellTopics(): void {
  if (pending) return;
  pending = true;
  queueMicrotask(() => {
    pending = false;
    if (session.value) send({ t: "topics", topics: [...topics.keys()] });
  });
}

function take(msg: FromHub): void {
  if (msg.t === "link") return takeLink(msg.link);
  const data = msg.data as { server_time?: number; build?: string };
  if (typeof data.server_time === "number") setServerTime(data.server_time);
  if (msg.event === "hello") {
    if (build && data.build && data.build !== build) newBuild.value = true;
    build ||= data.build ?? "";
  }
  if (msg.event === "resync") reopened.value++;
  for (const fn of handlers.get(msg.event) ?? []) fn(msg.data as never);
}

function takeLink(next: Link): void {
  const before = link.value.state;
  link.value = { ...next, at: performance.now() };
  if (next.state === "denied") session.value = null;
  if (next.state === "lost") {
    lostTimer ??= setTimeout(() => (serverLost.value = true), Math.max(0, 2000 - next.lost_for_ms));
  } else if (next.state === "open") {
    clearTimeout(lostTimer);
    lostTimer = undefined;
    serverLost.value = false;
    if (before === "lost") reopened.value++;
  }
}

const io: HubIo = {
  fetch: (path, init) => fetch(path, init),
  now: () => performance.now(),
  after: (ms, fn) => setTimeout(fn, ms) as unknown as number,
  cancel: (timer) => clearTimeout(timer),
};

function scriptUrl(url: string): string {
  const types = (window as { trustedTypes?: { createPolicy: (n: string, r: object) => { createScriptURL: (u: string) => string } } }).trustedTypes;
  if (!types) return url;
  const policy = types.createPolicy("cellwarden", {
    createScriptURL: (u: string) => {
      if (new URL(u, location.origin).origin !== location.origin) throw new TypeError("foreign script");
      return u;
    },
  });
  return policy.createScriptURL(url);
}

function viaWorker(): (msg: ToHub) => void {
  const worker = new SharedWorker(scriptUrl(workerUrl), { name: "cellwarden", type: import.meta.env.DEV ? "module" : "classic" });
  worker.port.onmessage = (e: MessageEvent<FromHub>) => take(e.data);
  return (msg) => worker.port.postMessage(msg);
}

function ownHub(): (msg: ToHub) => void {
  const hub = new Hub(io);
  const port: HubPort = { post: (msg) => queueMicrotask(() => take(msg)) };
  return (msg) => hub.take(port, msg);
}

type Wire = { to: string; msg: FromHub } | { from: string; msg: ToHub } | { leader: true };

function viaLeader(): (msg: ToHub) => void {
  const me = Math.random().toString(36).slice(2);
  const wire = new BroadcastChannel("cellwarden");
  wire.onmessage = (e: MessageEvent<Wire>) => {
    if ("to" in e.data && e.data.to === me) take(e.data.msg);
    if ("leader" in e.data) hello();
  };
  void navigator.locks.request("cellwarden-stream", () => lead());
  return (msg) => wire.postMessage({ from: me, msg } satisfies Wire);
}

function lead(): Promise<never> {
  const hub = new Hub(io);
  const wire = new BroadcastChannel("cellwarden");
  const ports = new Map<string, HubPort>();
  wire.onmessage = (e: MessageEvent<Wire>) => {
    if (!("from" in e.data)) return;
    const from = e.data.from;
    const port = ports.get(from) ?? { post: (msg: FromHub) => wire.postMessage({ to: from, msg } satisfies Wire) };
    ports.set(from, port);
    hub.take(port, e.data.msg);
  };
  wire.postMessage({ leader: true } satisfies Wire);
  hello();
  return new Promise(() => {}); // leads until the tab goes
}

function hello(): void {
  if (session.value) send({ t: "hello", topics: [...topics.keys()], csrf: session.value.csrf });
}

/* Start once. The stream is open while somebody is signed in. */
export function startStream(): void {
  if (typeof SharedWorker === "function") send = viaWorker();
  else if (navigator.locks && typeof BroadcastChannel === "function") send = viaLeader();
  else send = ownHub();
  effect(() => (session.value ? hello() : send({ t: "bye" })));
  setInterval(() => session.value && send({ t: "alive" }), 20_000);
  addEventListener("pagehide", () => send({ t: "bye" }));
  addEventListener("pageshow", (e) => e.persisted && hello());
}
