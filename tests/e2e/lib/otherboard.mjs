// SPDX-License-Identifier: Apache-2.0
// otherboard.mjs -- a made-up board whose tables are not ours, at a TCP port that speaks SLCAN: ISO-TP, UDS 10, 22, 27, 2E, 35, 36, 37, 3E and no samples.
// One parameter has another name and another range, one is new.
import { createServer } from "node:net";
import { deflateSync } from "node:zlib";

const TO_BOARD = "18DA10F1";
const FROM_BOARD = "18DAF110";
const CHEMISTRIES = ["nmc", "lfp", "nimh", "scap"];
const BLOCK = 1000;

function crc32c(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

const int32 = (values) => {
  const out = Buffer.alloc(4 * values.length);
  values.forEach((v, i) => out.writeInt32LE(v, 4 * i));
  return out;
};
const text = (s) => Buffer.from(`${s}\0`);

/* As the board's build makes it (proto/tables_hash.c), made anew. */
export function hashOf(tables) {
  const parts = tables.signals.map((s) => text(s.name));
  for (const p of tables.params) parts.push(int32([p.id, p.min, p.max]), text(p.name), int32(CHEMISTRIES.map((c) => p.defaults[c])));
  for (const a of tables.alarms) parts.push(int32([a.id]), text(a.name));
  return crc32c(Buffer.concat(parts)).toString(16).padStart(8, "0");
}

export class OtherBoard {
  constructor(ours, renamed) {
    this.tables = structuredClone(ours);
    const row = this.tables.params.find((p) => p.name === renamed);
    row.name = "balance_begin_mV";
    row.max += 1000;
    this.tables.params.push({ ...row, id: 0xff0, name: "of_another_year", unit: "furlong", min: -5, max: 5 });
    this.tables.hash = this.hash = hashOf(this.tables);
    this.values = new Map(this.tables.params.map((p) => [p.id, p.name === "of_another_year" ? -3 : p.defaults.nmc]));
    const plain = Buffer.from(JSON.stringify(this.tables));
    this.plain = plain.length;
    this.packed = deflateSync(plain);
    this.writes = 0;
    this.server = createServer((socket) => this.attach(socket));
  }

  listen() {
    return new Promise((done) => this.server.listen(0, "127.0.0.1", () => done(this.server.address().port)));
  }

  close() {
    this.socket?.destroy();
    this.server.close();
  }

  attach(socket) {
    this.socket = socket;
    let line = "";
    socket.on("error", () => {});
    socket.on("data", (data) => {
      for (const c of data.toString("latin1")) {
        if (c !== "\r") line += c;
        else {
          this.hear(line);
          line = "";
        }
      }
    });
  }

  send(bytes) {
    const data = Buffer.alloc(8, 0xcc);
    Buffer.from(bytes).copy(data);
    this.socket.write(`T${FROM_BOARD}8${data.toString("hex").toUpperCase()}\r`);
  }

  hear(line) {
    if (!line.startsWith(`T${TO_BOARD}`)) return;
    const data = Buffer.from(line.slice(10), "hex");
    const kind = data[0] >> 4;
    if (kind === 0) this.answer(data.subarray(1, 1 + data[0]));
    else if (kind === 1) {
      this.length = data.readUInt16BE(0) & 0xfff;
      this.request = Buffer.from(data.subarray(2));
      this.send([0x30, 0, 0]);
    } else if (kind === 2 && this.request) {
      this.request = Buffer.concat([this.request, data.subarray(1)]);
      if (this.request.length >= this.length) {
        const whole = this.request.subarray(0, this.length);
        this.request = null;
        this.answer(whole);
      }
    } else if (kind === 3 && this.rest) {
      for (let i = 0, n = 1; i < this.rest.length; i += 7, n++) this.send([0x20 | (n & 15), ...this.rest.subarray(i, i + 7)]);
      this.rest = null;
    }
  }

  answer(request) {
    const out = Buffer.from(this.uds(request));
    if (out.length <= 7) this.send([out.length, ...out]);
    else {
      this.rest = out.subarray(6);
      this.send([0x10 | (out.length >> 8), out.length & 0xff, ...out.subarray(0, 6)]);
    }
  }

  uds(r) {
    const no = (nrc) => [0x7f, r[0], nrc];
    switch (r[0]) {
      case 0x10:
        return [0x50, r[1], 0, 50, 1, 0xf4];
      case 0x22:
        return this.read(r) ?? no(0x31);
      case 0x27:
        return r[1] === 1 ? [0x67, 1, 0, 0, 0, 0] : [0x67, 2];
      case 0x2e:
        this.writes++;
        return [0x6e, r[1], r[2]];
      case 0x35:
        this.at = 0;
        return [0x75, 0x20, (BLOCK + 2) >> 8, (BLOCK + 2) & 0xff];
      case 0x36: {
        const block = this.packed.subarray((r[1] - 1) * BLOCK, r[1] * BLOCK);
        return [0x76, r[1], ...block];
      }
      case 0x37:
        return [0x77];
      case 0x3e:
        return [0x7e, 0];
      default:
        return no(0x11);
    }
  }

  read(r) {
    const out = [Buffer.from([0x62])];
    for (let i = 1; i < r.length; i += 2) {
      const did = r.readUInt16BE(i);
      const value = Buffer.alloc(did === 0x1011 ? 14 : 6);
      value.writeUInt16BE(did, 0);
      if (did === 0x1011) {
        value.writeUInt32BE(parseInt(this.hash, 16), 2);
        value.writeUInt32BE(this.packed.length, 6);
        value.writeUInt32BE(this.plain, 10);
      } else if (this.values.has(did & 0xfff)) value.writeInt32BE(this.values.get(did & 0xfff), 2);
      else return null;
      out.push(value);
    }
    return Buffer.concat(out);
  }
}
