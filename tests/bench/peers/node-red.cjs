// SPDX-License-Identifier: Apache-2.0
// node-red.cjs -- settings of Node-RED and its flow: mqtt in -> function (decode) -> function (insert) -> mqtt out. No PostgreSQL node of the registry takes
// binary values, so the second function uses `pg`, a pool of connections and a prepared insert for each message, as such nodes do.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const pg = require("pg");
const record = require("./record.cjs");

const { URI, CA, CERT, KEY, DATABASE, RED_DIR } = process.env;
const url = new URL(URI.replace("mqtts:", "https:"));
const pool = new pg.Pool({ ...JSON.parse(DATABASE), max: 10 });
const places = record.COLUMNS.split(",").map((_, i) => `$${i + 1}`).join(", ");
const insert = { name: "insert_record", text: `insert into record (${record.COLUMNS}) values (${places}) on conflict do nothing` };

const flow = [
    { id: "tab", type: "tab", label: "ingest" },
    { id: "tls", type: "tls-config", cert: CERT, key: KEY, ca: CA, verifyservercert: true, servername: "localhost" },
    { id: "broker", type: "mqtt-broker", broker: url.hostname, port: url.port, tls: "tls", clientid: "peer-node-red", usetls: true, protocolVersion: "5",
        keepalive: "60", cleansession: true, autoConnect: true },
    { id: "in", type: "mqtt in", z: "tab", topic: "cw/v1/+/up/rec", qos: "1", datatype: "buffer", broker: "broker", wires: [["decode"]] },
    { id: "decode", type: "function", z: "tab", outputs: 1, func: "msg.row = global.get('rowOf')(msg.topic, msg.payload);\nreturn msg;", wires: [["insert"]] },
    { id: "insert", type: "function", z: "tab", outputs: 1, wires: [["ack"]],
        func: "await global.get('store')(msg.row.values);\nconst [topic, payload] = global.get('acksOf')([msg.row])[0];\nreturn { topic, payload };" },
    { id: "ack", type: "mqtt out", z: "tab", topic: "", qos: "1", retain: "false", broker: "broker", wires: [] },
];
fs.writeFileSync(path.join(RED_DIR, "flows.json"), JSON.stringify(flow));

module.exports = {
    userDir: RED_DIR, flowFile: "flows.json", uiHost: "127.0.0.1", uiPort: 0, httpAdminRoot: false, httpNodeRoot: false, disableEditor: true,
    functionGlobalContext: { rowOf: record.rowOf, acksOf: record.acksOf, store: (values) => pool.query({ ...insert, values }) },
    logging: { console: { level: "warn", metrics: false, audit: false } },
};
