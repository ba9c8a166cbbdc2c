// SPDX-License-Identifier: Apache-2.0
// record.cjs -- MQTT message to row of `record`, with protobufjs and proto/telemetry.proto.
"use strict";
const path = require("node:path");
const protobuf = require("protobufjs");
const { summarise } = require("./body.cjs");

const proto = path.join(__dirname, "../../../proto");
const Record = protobuf.loadSync(path.join(proto, "telemetry.proto")).lookupType("cw.Record");
const Ack = protobuf.loadSync(path.join(proto, "downlink.proto")).lookupType("cw.Ack");
const COLUMNS = "tenant, device, first_at, epoch, seq, boot, first_no, count, last_at, received_at, cell_min_mV, cell_max_mV, cell_mean_mV, " +
    "soc_permyriad, current_min_mA, current_max_mA, voltage_mV, temp_min_ddegC, temp_max_ddegC, alarm_level, record";

/* {device, epoch, seq, values}: values in the order of COLUMNS. Throws for what cannot be read. */
function rowOf(topic, payload) {
    const r = Record.decode(payload), device = topic.split("/")[2], dot = device.indexOf(".");
    if (r.device !== device) throw new Error("another device's name inside");
    const signed = BigInt.asIntN(64, BigInt(r.epoch.toString()));
    const first = new Date(Number(r.firstUtcMs)), last = new Date(Number(r.lastUtcMs));
    return {
        device, epoch: r.epoch, seq: Number(r.seq),
        values: [device.slice(0, dot), device.slice(dot + 1), first.toISOString(), String(signed), Number(r.seq), r.boot, r.firstNo, r.count,
            last.toISOString(), new Date().toISOString(), ...summarise(r), payload],
    };
}

/* The Ack messages of committed rows: [topic, bytes], one for each device and epoch. */
function acksOf(rows) {
    const acks = new Map();
    for (const { device, epoch, seq } of rows) {
        const key = device + epoch;
        if (!acks.has(key)) acks.set(key, { device, epoch, seqs: [] });
        acks.get(key).seqs.push(seq);
    }
    return [...acks.values()].map(({ device, epoch, seqs }) => [
        `cw/v1/${device}/down/ack`, Buffer.from(Ack.encode({ schema: 1, epoch, first: seqs, last: seqs }).finish())]);
}

module.exports = { COLUMNS, rowOf, acksOf };
