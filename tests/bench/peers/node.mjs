// SPDX-License-Identifier: Apache-2.0
// node.mjs -- a fair Node pipeline: mqtt delivers, protobufjs decodes, pg-copy-streams stores a batch in one transaction, acknowledgements after COMMIT.
// Environment: URI, CA, CERT, KEY (broker), DATABASE (folder of the socket, user, name as JSON), SCALARS.
import { readFileSync } from "node:fs";
import mqtt from "mqtt";
import pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import record from "./record.cjs";

const BATCH = 4096, BATCH_MS = 50;
const { URI, CA, CERT, KEY, DATABASE } = process.env;
const db = new pg.Client(JSON.parse(DATABASE));
const waiting = [];
let busy = false;

function text(value) {
    if (value === null) return "\\N";
    return Buffer.isBuffer(value) ? "\\\\x" + value.toString("hex") : String(value);
}

async function store(rows) {
    await db.query("begin");
    await db.query("truncate staging");
    await new Promise((done, failed) => {
        const stream = db.query(copyFrom(`copy staging (${record.COLUMNS}) from stdin`));
        stream.on("finish", done).on("error", failed);
        stream.end(rows.map(({ values }) => values.map(text).join("\t") + "\n").join(""));
    });
    await db.query(`insert into record (${record.COLUMNS}) select ${record.COLUMNS} from staging on conflict do nothing`);
    await db.query("commit");
}

async function flush() {
    if (busy || waiting.length === 0) return;
    busy = true;
    const rows = [];
    for (const [topic, payload] of waiting.splice(0, BATCH)) {
        try {
            rows.push(record.rowOf(topic, payload));
        } catch (error) {
            console.error(`refused: ${error.message}`);
        }
    }
    await store(rows);
    for (const [topic, bytes] of record.acksOf(rows)) client.publish(topic, bytes, { qos: 1 });
    busy = false;
    if (waiting.length >= BATCH) setImmediate(flush);
}

await db.connect();
await db.query("set jit = off");
await db.query("create temp table staging (like record including storage)");
const client = mqtt.connect(URI, {
    ca: readFileSync(CA), cert: readFileSync(CERT), key: readFileSync(KEY), protocolVersion: 5, clean: true, clientId: "peer-node",
    properties: { receiveMaximum: 1000 },
});
client.on("connect", () => client.subscribe("cw/v1/+/up/rec", { qos: 1 }, () => console.log("ready")));
client.on("message", (topic, payload) => {
    waiting.push([topic, payload]);
    if (waiting.length >= BATCH) flush();
});
setInterval(flush, BATCH_MS);
