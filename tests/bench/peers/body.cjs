// SPDX-License-Identifier: Apache-2.0
// body.cjs -- a record's body in JavaScript, from proto/record-body.md (layout 2), and the summary columns of its row. Times, scalars, cells and
// temperatures are decoded; what the row does not need (balancing, alarms) is not, which spares this side work.
"use strict";
const RICE_LONG = 20;
const SCALAR_SOC = scalar("soc_permyriad"), SCALAR_VOLTAGE = scalar("pack_voltage_mV"), SCALAR_CURRENT = scalar("pack_current_mA");
const SCALAR_OK_MIN = -2147483640, CELL_OK_MAX = 65527, TEMP_OK_MIN = -32760;

function scalar(name) {
    const names = (process.env.SCALARS ?? "").split(",");
    return names.indexOf(name);
}

class Bits {
    constructor(bytes, at) {
        this.bytes = bytes;
        this.at = at;
        this.hold = 0;
        this.held = 0;
    }
    take(width) {
        if (width > 16) return this.take(16) + this.take(width - 16) * 65536;
        while (this.held < width) {
            if (this.at >= this.bytes.length) throw new Error("truncated");
            this.hold |= this.bytes[this.at++] << this.held;
            this.held += 8;
        }
        const v = this.hold & ((1 << width) - 1);
        this.hold >>>= width;
        this.held -= width;
        return v;
    }
    /* Ones before the next zero, which is taken too; at most RICE_LONG. */
    ones() {
        for (let n = 0; ; ) {
            if (this.held === 0) {
                if (this.at >= this.bytes.length) throw new Error("truncated");
                this.hold = this.bytes[this.at++];
                this.held = 8;
            }
            const zeros = ~this.hold, ones = Math.min(31 - Math.clz32(zeros & -zeros), this.held, RICE_LONG - n);
            const ends = ones < this.held && ones < RICE_LONG - n ? 1 : 0;
            this.hold >>>= ones + ends;
            this.held -= ones + ends;
            n += ones;
            if (ends || n === RICE_LONG) return n;
        }
    }
    rice(k) {
        const q = this.ones();
        return q < RICE_LONG ? (q << k) | this.take(k) : this.take(RICE_LONG);
    }
    sized() {
        return unzigzag(this.take(this.take(6)));
    }
    column(n, guess) {
        const v = new Int32Array(n);
        if (this.take(1)) return v.fill(guess);
        v[0] = this.sized();
        const mode = n === 1 ? 0 : this.take(2);
        if (mode === 0) return v.fill(v[0]);
        const low = this.sized(), width = this.take(6), unit = width && this.take(1) ? this.sized() : 1;
        for (let i = 1; i < n; i++) v[i] = v[mode === 2 ? 0 : i - 1] + low + Math.imul(this.take(width), unit);
        return v;
    }
    row(m, i) {
        const { before, mean, e, columns } = m;
        let shift = 0;
        if (!this.take(1)) {
            const from = this.take(2), width = this.take(4);
            shift = unzigzag(this.take(width < 15 ? width : 18));
            const runs = this.take(1), k = this.take(4);
            if (runs) {
                const g = this.take(3);
                for (let c = 0; c < columns; c++) {
                    for (let gap = this.rice(g); gap > 0; gap--) e[c++] = 0;
                    if (c < columns) e[c] = unzigzag(this.rice(k) + 1);
                }
            } else for (let c = 0; c < columns; c++) e[c] = unzigzag(this.rice(k));
            if (from === 1 || from === 2) for (let c = 1; c < columns; c++) e[c] += e[c - 1] >> (3 - from);
            for (let c = 0; c < columns; c++) before[c] = (from === 3 ? before[c] : mean[c] >> 4) + shift + e[c];
        }
        for (let c = 0; c < columns; c++) {
            const is = before[c] << 4, was = mean[c] + (shift << 4), off = is - was;
            mean[c] = off >= 4096 || off <= -4096 ? is : was + (off >> Math.min(i, 2));
        }
        return before;
    }
}

function unzigzag(z) {
    return (z >>> 1) ^ -(z & 1);
}

function matrix(columns) {
    return { columns, before: new Int32Array(columns), mean: new Int32Array(columns), e: new Int32Array(columns) };
}

function lastValid(v) {
    for (let i = v.length - 1; i >= 0; i--) if (v[i] >= SCALAR_OK_MIN) return v[i];
    return null;
}

/* The summary columns of `record`, as server/ingest/summary.c makes them. */
function summarise(record) {
    const { body, count, cells, temps } = record;
    if (body[0] !== 2) throw new Error("layout");
    const bits = new Bits(body, 2), scalars = [];
    if (count > 1) bits.column(count - 1, 0);
    for (let k = 0, guess = 0; k < body[1]; k++) {
        scalars.push(bits.column(count, guess));
        guess = scalars[k][0];
    }
    let low = 1e9, high = -1e9, sum = 0, n = 0, cold = 1e9, hot = -1e9, least = 1e12, most = -1e12;
    const cell = matrix(cells), temp = matrix(temps);
    for (let i = 0; i < count && cells; i++) {
        const v = bits.row(cell, i);
        for (let c = 0; c < cells; c++) {
            if ((v[c] & 0xffff) > CELL_OK_MAX) continue;
            if (v[c] < low) low = v[c];
            if (v[c] > high) high = v[c];
            sum += v[c];
            n++;
        }
    }
    for (let i = 0; i < count && temps; i++) {
        const v = bits.row(temp, i);
        for (let c = 0; c < temps; c++) {
            if (v[c] < TEMP_OK_MIN) continue;
            if (v[c] < cold) cold = v[c];
            if (v[c] > hot) hot = v[c];
        }
    }
    for (const mA of scalars[SCALAR_CURRENT]) {
        if (mA < SCALAR_OK_MIN) continue;
        if (mA < least) least = mA;
        if (mA > most) most = mA;
    }
    const has = (yes, v) => (yes ? v : null);
    return [has(n, low), has(n, high), has(n, Math.floor((sum + n / 2) / n)), lastValid(scalars[SCALAR_SOC]), has(most >= least, least),
        has(most >= least, most), lastValid(scalars[SCALAR_VOLTAGE]), has(hot >= cold, cold), has(hot >= cold, hot), 0];
}

module.exports = { summarise };
