// SPDX-License-Identifier: Apache-2.0
// sse.ts -- text/event-stream, byte chunks in, events out. Pure; the hub feeds it what fetch() reads.

export interface SseEvent {
  id: string; // last id seen, as the standard has it
  event: string;
  data: string;
}

const MAX_EVENT = 1 << 20; // characters; more is not ours and is dropped with the connection

export class SseParser {
  private rest = "";
  private id = "";
  private event = "";
  private data: string[] = [];

  /* Takes any split of the text; returns the events that it completed. Throws RangeError on an event without end. */
  push(chunk: string): SseEvent[] {
    const out: SseEvent[] = [];
    const lines = (this.rest + chunk).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    if (this.rest.length > MAX_EVENT) throw new RangeError("event without end");
    for (const line of lines) this.line(line, out);
    return out;
  }

  private line(line: string, out: SseEvent[]): void {
    if (line === "") return this.close(out);
    if (line.startsWith(":")) return;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id" && !value.includes("\0")) this.id = value;
    else if (field === "event") this.event = value;
    else if (field === "data") this.data.push(value);
  }

  private close(out: SseEvent[]): void {
    if (this.data.length) out.push({ id: this.id, event: this.event || "message", data: this.data.join("\n") });
    this.event = "";
    this.data = [];
  }
}
