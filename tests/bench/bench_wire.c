/* SPDX-License-Identifier: Apache-2.0 */
/* bench_wire [--json] [--data DIR | FILE..] -- bytes per signal of the record body on recorded packs, beside what others send.
 *
 * A signal is one value of one sample: each cell, each probe, total voltage and current. The whole sealed record is counted, envelope and
 * CRC included. DIR holds one folder for each set, with pack logs in the replay format; files named one by one form the set "files"; the set
 * "simulated" is an hour of a pack of cellwarden-fleet.
 *
 * `wire_bytes_per_frame` is what a record costs on the network, both directions, from its PUBLISH to the PUBACK of its acknowledgement: MQTT 5,
 * TLS 1.2 with AES-GCM, TCP with timestamps, IPv4; each message in segments of its own, the worst case.
 */
#include <dirent.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "proto/body.h"
#include "sim/fleet/life.h"
#include "sim/replay_log.h"
#include "tests/bench/wire_peers.h"

enum { PATH_SIZE = 4096, SIZES = 3, GAP_S = 120, SIMULATED_S = 3600 };
enum { TLS_RECORD = 5 + 8 + 16, TCP_IP = 20 + 12 + 20, SEGMENT = 1360, PUBACK = 4, ACK_PAYLOAD = 19, TOPIC = 26 };
static const unsigned batch_of[SIZES] = { 1, 10, 60 };

struct totals {
    double signals, frames;
    double record[SIZES], wire[SIZES];
    double json, protobuf, sparkplug, gbt32960;
};

static struct sample sample_of(const struct replay_log *log, uint32_t no)
{
    const struct replay_row *row = &log->row;
    struct sample s = { .utc_ms = 1600000000000u + (uint64_t)llround(row->t_s * 1000), .boot = 1, .no = no };

    s.cells = (uint8_t)log->cells;
    s.temps = (uint8_t)log->temps;
    s.scalar[SAMPLE_pack_voltage_mV] = (int32_t)lround(row->pack_V * 1000);
    s.scalar[SAMPLE_pack_current_mA] = (int32_t)lround(row->current_A * 1000);
    for (int c = 0; c < log->cells; c++)
        s.cell_mV[c] = row->hole[c] ? cell_invalid(VALIDITY_IMPLAUSIBLE) : (uint16_t)lround(row->cell_mV[c]);
    for (int t = 0; t < log->temps; t++)
        s.temp_ddegC[t] = log->fitted[t] ? (int16_t)lround(row->temp_C[t] * 10) : temp_invalid(VALIDITY_NOT_FITTED);
    return s;
}

static double sealed_bytes(const struct sample *s, unsigned n, uint64_t seq)
{
    static uint8_t body[RECORD_BODY_MAX], sealed[RECORD_MAX];
    int len = body_encode(s, n, body, sizeof(body));

    if (len < 0) {
        fprintf(stderr, "bench_wire: a record of %u samples: %s\n", n, bms_err_text(len));
        exit(1);
    }
    struct record r = { .device = "demo.bus-048",
                        .epoch = 0x0123456789ABCDEFu,
                        .seq = seq,
                        .boot = 1,
                        .first_no = s[0].no,
                        .count = n,
                        .first_utc_ms = s[0].utc_ms,
                        .last_utc_ms = s[n - 1].utc_ms,
                        .cells = s[0].cells,
                        .temps = s[0].temps,
                        .body = body,
                        .body_len = (size_t)len };
    return record_seal(&r, sealed, sizeof(sealed));
}

/* One MQTT message in TLS records and segments of its own. */
static double packet(double bytes)
{
    double segments = ceil(bytes / SEGMENT);

    return bytes + segments * (TLS_RECORD + TCP_IP);
}

/* PUBLISH with type, length, topic, identifier and no properties. */
static double publish(double payload)
{
    double body = 2 + TOPIC + 2 + 1 + payload;

    return packet(1 + (body < 128 ? 1 : body < 16384 ? 2 : 3) + body);
}

/* Up: record and the PUBACK of its Ack; down: PUBACK and Ack. */
static double wire_bytes(double record)
{
    return publish(record) + packet(PUBACK) + publish(ACK_PAYLOAD) + packet(PUBACK);
}

/* n samples that follow each other, in batches of each size. */
static void add_run(struct totals *t, const struct sample *s, unsigned n)
{
    for (int k = 0; k < SIZES; k++)
        for (unsigned i = 0; i < n; i += batch_of[k]) {
            double bytes = sealed_bytes(s + i, n - i < batch_of[k] ? n - i : batch_of[k], 1000 + i);

            t->record[k] += bytes;
            t->wire[k] += wire_bytes(bytes);
        }
    for (unsigned i = 0; i < n; i++) {
        t->signals += s[i].cells + s[i].temps + 2;
        t->frames++;
        t->json += (double)json_bytes(&s[i]);
        t->protobuf += (double)protobuf_bytes(&s[i]);
        t->sparkplug += (double)sparkplug_bytes(&s[i]);
        t->gbt32960 += (double)gbt32960_bytes(&s[i]);
    }
}

static bool add_file(struct totals *t, const char *path)
{
    static struct replay_log log;
    static struct sample run[RECORD_SAMPLES_MAX];
    unsigned n = 0;
    uint32_t no = 1;
    double last_s = 0;

    if (replay_open(&log, path) != BMS_ERR_OK) {
        fprintf(stderr, "bench_wire: %s\n", log.error);
        return false;
    }
    while (replay_next(&log) == 1) {
        if (n > 0 && (n == RECORD_SAMPLES_MAX || log.row.t_s - last_s > GAP_S)) {
            add_run(t, run, n);
            n = 0;
        }
        last_s = log.row.t_s;
        run[n++] = sample_of(&log, no++);
    }
    if (n > 0)
        add_run(t, run, n);
    replay_close(&log);
    return true;
}

static void print_set(const char *name, const struct totals *t, bool json, bool first)
{
    if (!json) {
        printf("%-22s %8.0f frames  bytes per signal:", name, t->frames);
        for (int k = 0; k < SIZES; k++)
            printf("  %u: %.3f", batch_of[k], t->record[k] / t->signals);
        printf("  on the wire a frame:");
        for (int k = 0; k < SIZES; k++)
            printf("  %u: %.0f", batch_of[k], t->wire[k] / t->frames);
        printf("  JSON %.2f  protobuf %.2f  Sparkplug B %.2f  GB/T 32960 %.2f\n", t->json / t->signals, t->protobuf / t->signals,
               t->sparkplug / t->signals, t->gbt32960 / t->signals);
        return;
    }
    printf("%s\n\"%s\":{\"frames\":%.0f,\"signals\":%.0f", first ? "" : ",", name, t->frames, t->signals);
    for (int k = 0; k < SIZES; k++)
        printf(",\"%u\":{\"bytes_per_signal\":%.4f,\"bytes_per_frame\":%.2f,\"wire_bytes_per_frame\":%.2f}", batch_of[k],
               t->record[k] / t->signals, t->record[k] / t->frames, t->wire[k] / t->frames);
    printf(",\"json\":{\"bytes_per_signal\":%.4f},\"protobuf\":{\"bytes_per_signal\":%.4f},\"sparkplug\":{\"bytes_per_signal\":%.4f},"
           "\"gbt32960\":{\"bytes_per_signal\":%.4f}}",
           t->json / t->signals, t->protobuf / t->signals, t->sparkplug / t->signals, t->gbt32960 / t->signals);
}

static bool is_log(const char *name)
{
    const char *dot = strstr(name, ".csv");

    return dot && (strcmp(dot, ".csv") == 0 || strcmp(dot, ".csv.gz") == 0);
}

/* Every pack log in one folder; false when it has none. */
static bool add_folder(struct totals *t, const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *e;
    bool any = false;

    while (dir && (e = readdir(dir)) != NULL) {
        char path[PATH_SIZE];

        if (is_log(e->d_name) && snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) < PATH_SIZE)
            any = add_file(t, path) || any;
    }
    if (dir)
        closedir(dir);
    return any;
}

static int print_sets(const char *data, bool json)
{
    static const char *const sets[] = { "leaf_96s_field", "cn_ev_field_faults" };
    int printed = 0;

    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        struct totals t = { 0 };
        char path[PATH_SIZE];

        snprintf(path, sizeof(path), "%s/%s", data, sets[i]);
        if (add_folder(&t, path))
            print_set(sets[i], &t, json, printed++ == 0);
        else
            fprintf(stderr, "bench_wire: no pack logs in %s: skipped\n", path);
    }
    return printed;
}

static void add_simulated(struct totals *t)
{
    static struct sample run[RECORD_SAMPLES_MAX];
    static struct life life;
    const struct life_config config = { .cells = 96, .temps = 24 };

    life_init(&life, &config, 1);
    for (unsigned s = 0; s < SIMULATED_S; s += RECORD_SAMPLES_MAX) {
        for (unsigned i = 0; i < RECORD_SAMPLES_MAX; i++)
            life_sample(&life, 1, 1600000000000u + (s + i) * 1000u, &run[i]);
        add_run(t, run, RECORD_SAMPLES_MAX);
    }
}

int main(int argc, char **argv)
{
    struct totals files = { 0 }, simulated = { 0 };
    const char *data = getenv("CELLWARDEN_DATA");
    bool json = false;
    int named = 0, printed = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (strcmp(argv[i], "--data") == 0 && i + 1 < argc)
            data = argv[++i];
        else if (argv[i][0] != '-')
            named += add_file(&files, argv[i]);
        else {
            fprintf(stderr, "usage: bench_wire [--json] [--data DIR | FILE..]  (DIR also as CELLWARDEN_DATA)\n");
            return 2;
        }
    }
    if (json)
        printf("{");
    if (named)
        print_set("files", &files, json, printed++ == 0);
    else if (data)
        printed += print_sets(data, json);
    if (!named) {
        add_simulated(&simulated);
        print_set("simulated", &simulated, json, printed++ == 0);
    }
    if (json)
        printf("}\n");
    if (printed == 0)
        fprintf(stderr, "bench_wire: nothing to measure: name files, or a folder with --data\n");
    return printed ? 0 : 1;
}
