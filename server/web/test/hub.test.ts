// SPDX-License-Identifier: Apache-2.0
// The hub with a made-up clock and server: time is data, nothing sleeps but the microtask queue.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Hub, type FromHub, type HubIo, type HubPort } from "../src/stream/hub";

class World {
  now_ms = 0;
  timers: { at: number; fn: () => void; id: number }[] = [];
  nextId = 1;
  streams: { path: string; headers: Record<string, string>; send: (text: string) => void; end: () => void; aborted: boolean }[] = [];
  posts: { path: string; body: string; csrf: string }[] = [];
  down = false;
  status = 200;

  io: HubIo = {
    fetch: (path, init) => this.fetch(path, init),
    now: () => this.now_ms,
    after: (ms, fn) => {
      this.timers.push({ at: this.now_ms + ms, fn, id: this.nextId });
      return this.nextId++;
    },
    cancel: (id) => (this.timers = this.timers.filter((t) => t.id !== id)),
  };

  private async fetch(path: string, init: RequestInit): Promise<Response> {
    if (this.down) throw new TypeError("no route");
    const headers = init.headers as Record<string, string>;
    if (init.method === "POST") {
      this.posts.push({ path, body: String(init.body), csrf: headers["X-CSRF"] ?? "" });
      return new Response(null, { status: 204 });
    }
    if (this.status !== 200) return new Response("", { status: this.status });
    const coder = new TextEncoder();
    const stream = { path, headers, send: (_: string) => {}, end: () => {}, aborted: false };
    const body = new ReadableStream<Uint8Array>({
      start(c) {
        stream.send = (text) => c.enqueue(coder.encode(text));
        stream.end = () => c.close();
        init.signal?.addEventListener("abort", () => {
          stream.aborted = true;
          c.error(new Error("aborted"));
        });
      },
    });
    this.streams.push(stream);
    return new Response(body);
  }

  async turn(ms = 0): Promise<void> {
    const end = this.now_ms + ms;
    for (;;) {
      for (let i = 0; i < 20; i++) await new Promise((done) => setImmediate(done));
      const due = this.timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.now_ms = Math.max(this.now_ms, due.at);
      this.timers = this.timers.filter((t) => t !== due);
      due.fn();
    }
    this.now_ms = end;
  }

  hello(sid: string, id = 1): void {
    this.streams.at(-1)?.send(`id: ${id}\nevent: hello\ndata: {"sid":"${sid}","server_time":5000,"build":"b","api":1}\n\n`);
  }
}

class Tab implements HubPort {
  got: FromHub[] = [];
  post(msg: FromHub): void {
    this.got.push(msg);
  }
  links(): string[] {
    return this.got.flatMap((m) => (m.t === "link" ? [m.link.state] : []));
  }
  events(name: string): unknown[] {
    return this.got.flatMap((m) => (m.t === "event" && m.event === name ? [m.data] : []));
  }
}

async function open(world: World, topics = ["fleet"]): Promise<{ hub: Hub; tab: Tab }> {
  const hub = new Hub(world.io);
  const tab = new Tab();
  hub.take(tab, { t: "hello", topics, csrf: "c1" });
  await world.turn();
  world.hello("s1");
  await world.turn();
  return { hub, tab };
}

test("eight tabs share one stream, and each gets every event", async () => {
  const world = new World();
  const { hub, tab } = await open(world);
  const tabs = [tab, ...Array.from({ length: 7 }, () => new Tab())];
  for (const t of tabs.slice(1)) hub.take(t, { t: "hello", topics: ["fleet"], csrf: "c1" });
  await world.turn(100);
  world.streams[0]?.send('id: 2\nevent: v.frame\ndata: {"no":1}\n\n');
  await world.turn();
  assert.equal(world.streams.length, 1);
  for (const t of tabs) assert.equal(t.events("v.frame").length, 1);
});

test("the stream carries the union of the topics, a change is posted with the token and without a reconnect", async () => {
  const world = new World();
  const { hub, tab } = await open(world);
  const other = new Tab();
  hub.take(other, { t: "hello", topics: ["v:demo.a"], csrf: "c1" });
  await world.turn(100);
  assert.deepEqual(world.posts, [{ path: "/api/v1/stream/s1/topics", body: '{"topics":["fleet","v:demo.a"]}', csrf: "c1" }]);
  hub.take(tab, { t: "bye" });
  await world.turn(100);
  assert.equal(world.posts.at(-1)?.body, '{"topics":["v:demo.a"]}');
  assert.equal(world.streams.length, 1);
});

test("a tab that comes later gets the server's time, moved on", async () => {
  const world = new World();
  const { hub } = await open(world);
  await world.turn(7000);
  const late = new Tab();
  hub.take(late, { t: "hello", topics: [], csrf: "c1" });
  assert.deepEqual(late.events("hello"), [{ server_time: 12_000, build: "b" }]);
});

test("a broken stream is asked for again with the last id, and the tabs are told", async () => {
  const world = new World();
  const { tab } = await open(world);
  world.streams[0]?.send('id: 9\nevent: tick\ndata: {"server_time":6000}\n\n');
  await world.turn();
  world.streams[0]?.end();
  await world.turn(10);
  assert.equal(world.streams.length, 2);
  assert.equal(world.streams[1]?.headers["Last-Event-ID"], "9");
  world.hello("s2", 10);
  await world.turn();
  assert.deepEqual(tab.links().slice(-3), ["lost", "lost", "open"]);
});

test("13 s without a byte is a break, 12 s is not", async () => {
  const world = new World();
  const { tab } = await open(world);
  await world.turn(12_900);
  assert.equal(tab.links().includes("lost"), false);
  await world.turn(200);
  assert.equal(tab.links().includes("lost"), true);
  assert.ok(world.streams[0]?.aborted);
});

test("a server that is away is tried at least every 3 s for as long as it takes", async () => {
  const world = new World();
  const { tab } = await open(world);
  world.down = true;
  world.streams[0]?.end();
  await world.turn(600_000);
  world.down = false;
  await world.turn(3000);
  assert.equal(world.streams.length, 2);
  world.hello("s2");
  await world.turn();
  assert.equal(tab.links().at(-1), "open");
});

test("a refused session is not asked for again until somebody signs in", async () => {
  const world = new World();
  const { hub, tab } = await open(world);
  world.status = 401;
  world.streams[0]?.end();
  await world.turn(60_000);
  assert.equal(tab.links().at(-1), "denied");
  assert.equal(world.streams.length, 1);
  world.status = 200;
  hub.take(tab, { t: "hello", topics: [], csrf: "c2" });
  await world.turn();
  assert.equal(world.streams.length, 2);
});

test("when the last tab says goodbye the stream is closed", async () => {
  const world = new World();
  const { hub, tab } = await open(world);
  hub.take(tab, { t: "bye" });
  await world.turn(100);
  assert.ok(world.streams[0]?.aborted);
});

test("an event that is not JSON is dropped and stops nothing", async () => {
  const world = new World();
  const { tab } = await open(world);
  world.streams[0]?.send('event: v.frame\ndata: {"no":\n\nevent: v.frame\ndata: {"no":2}\n\n');
  await world.turn();
  assert.deepEqual(tab.events("v.frame"), [{ no: 2 }]);
});
