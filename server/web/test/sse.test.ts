// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { SseParser } from "../src/stream/sse";

const TEXT = ": hello\nid: 1\nevent: tick\ndata: {\"a\":1}\n\ndata: x\ndata: y\n\nid: 3\nevent: empty\n\nevent:v.frame\r\ndata:z\r\n\r\n";
const WANT = [
  { id: "1", event: "tick", data: '{"a":1}' },
  { id: "1", event: "message", data: "x\ny" },
  { id: "3", event: "v.frame", data: "z" },
];

test("events are read, comments and empty ones are not", () => {
  assert.deepEqual(new SseParser().push(TEXT), WANT);
});

test("property: any split of the bytes gives the same events", () => {
  for (let cut = 0; cut <= TEXT.length; cut++) {
    const p = new SseParser();
    assert.deepEqual([...p.push(TEXT.slice(0, cut)), ...p.push(TEXT.slice(cut))], WANT, `cut at ${cut}`);
  }
  const p = new SseParser();
  assert.deepEqual([...TEXT].flatMap((c) => p.push(c)), WANT);
});

test("an event without end is refused, not kept", () => {
  const p = new SseParser();
  assert.throws(() => {
    for (let i = 0; i < 20; i++) p.push("x".repeat(100_000));
  }, RangeError);
});
