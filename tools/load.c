/* SPDX-License-Identifier: Apache-2.0 */
/* load.c -- cellwarden-load: many devices' records through one connection, for measuring and testing the server.
 *
 * Not a DTU: the journal is in memory and one certificate speaks for all devices, so the broker's rules must allow that (a private broker in tests).
 * It does keep the one promise that matters: a record is sent again until an Ack names it. With --truth it writes what was measured, in the
 * format of sim/truth.h, so cellwarden-verify can prove that all of it arrived. It is to cost little beside what it loads: one thread, and as many
 * messages in a TLS record as fit.
 */
#include "common/bytes.h"
#include "common/err.h"
#include "proto/body.h"
#include "proto/downlink.pb-c.h"
#include "proto/topics.h"
#include "server/host.h"
#include "server/ingest/mqtt_bulk.h"
#include "server/ingest/tls_wire.h"
#include "sim/truth.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RESEND_MS = 3000, LOOK_MS = 200, ANSWER_MS = 10000, DEVICES_MAX = 10000, BODIES = 64, IN_SIZE = 256 * 1024, OUT_SIZE = 128 * 1024 };
enum {
    BUSY = 500,
    NAP_US = 1000
}; /* records under way from which on, or with --rate, answers are not waited for but found: each wake-up would cost the broker */

struct options {
    const char *uri, *ca, *cert, *key, *tenant, *truth;
    int devices, records, batch, cells, temps, window, timeout_s, seed, alarms, shuffle, truth_devices, rate, step_ms, ago_s, late, garbage;
};

struct slot {       /* one record */
    uint8_t *bytes; /* sealed; NULL with --late */
    int size;
    bool acked;
    int64_t sent_ms; /* monotonic, 0 = not yet */
};

struct load {
    struct options opt;
    struct tls_wire *wire; /* NULL: no connection */
    struct bulk bulk;
    uint8_t in[IN_SIZE], out[OUT_SIZE];
    char id[40];
    uint64_t epoch, from_utc_ms; /* of the first sample */
    int *order;                  /* of the records of each device */
    struct slot *slots;          /* [device * records + seq - 1] */
    long acked, under_way;
    long begun;      /* records sent at least once: all devices' order[0], then order[1] and so on */
    int64_t from_ms; /* when the first could go */
    double from_cpu_s;
    int64_t look_ms; /* when to look again for what got no Ack in time */
    int first;       /* place in order[] before which all devices' records are acknowledged */
    struct {         /* of devices without a truth file: a body says nothing of its time, so a few do for all */
        uint8_t *bytes;
        size_t size;
    } bodies[BODIES];
};

static int64_t mono_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void name_of(const struct load *l, int device, char *out, size_t size)
{
    snprintf(out, size, "%.20s.load-%04d", l->opt.tenant, device);
}

/* ---- what the devices measured ---- */

static void next_sample(struct sample *s, const struct options *o, uint64_t utc_ms)
{
    s->no++;
    s->utc_ms = utc_ms;
    for (int i = 0; i < SAMPLE_SCALARS; i++)
        s->scalar[i] = scalar_invalid(VALIDITY_NOT_FITTED);
    s->scalar[SAMPLE_pack_current_mA] = 10000 + rand() % 200;
    s->scalar[SAMPLE_soc_permyriad] = 5000 + (int32_t)(s->no % 100);
    for (int c = 0; c < o->cells; c++)
        s->cell_mV[c] = (uint16_t)(3700 + c % 7 + rand() % 4);
    for (int t = 0; t < o->temps; t++)
        s->temp_ddegC[t] = (int16_t)(250 + t % 5);
    s->scalar[SAMPLE_pack_voltage_mV] = 3703 * o->cells;
    s->alarms = o->alarms && s->no / (uint32_t)o->alarms % 2 == 1;
    s->alarm[0] = (struct sample_alarm) { .alarm = 2, .level = ALARM_MAJOR, .number = 1, .value = 4260 };
}

static void write_truth(FILE *f, const struct sample *s)
{
    uint8_t entry[TRUTH_ENTRY_HEAD + 2 * (2 * PACK_CELLS_MAX + PACK_TEMPS_MAX)];
    struct writer w = writer_of(entry, sizeof entry);

    write_le32(&w, s->boot);
    write_le32(&w, s->no);
    write_le64(&w, s->utc_ms);
    write_le16(&w, s->cells);
    write_le16(&w, s->temps);
    for (int twice = 0; twice < 2; twice++)
        for (int c = 0; c < s->cells; c++)
            write_le16(&w, s->cell_mV[c]);
    for (int t = 0; t < s->temps; t++)
        write_le16(&w, (uint16_t)s->temp_ddegC[t]);
    fwrite(entry, 1, writer_used(&w), f);
}

/* Into out[RECORD_MAX]; returns the length or an error. */
static int seal(const struct load *l, const char *device, uint64_t seq, const struct sample *first, const uint8_t *body, size_t size,
                uint8_t *out)
{
    struct record r = { .epoch = l->epoch,
                        .seq = seq,
                        .boot = first->boot,
                        .first_no = first->no,
                        .count = (uint32_t)l->opt.batch,
                        .first_utc_ms = first->utc_ms,
                        .last_utc_ms = first->utc_ms + (uint64_t)(l->opt.batch - 1) * (uint64_t)l->opt.step_ms,
                        .cells = first->cells,
                        .temps = first->temps,
                        .body = body,
                        .body_len = size };

    snprintf(r.device, sizeof r.device, "%s", device);
    return record_seal(&r, out, RECORD_MAX);
}

static int keep(struct slot *slot, const uint8_t *sealed, int size)
{
    slot->size = size;
    slot->bytes = slot->size > 0 ? malloc((size_t)slot->size) : NULL;
    if (!slot->bytes)
        return BMS_ERR_NOSPACE;
    memcpy(slot->bytes, sealed, (size_t)slot->size);
    return 0;
}

/* A record whose samples go into the truth file. */
static int make_measured(struct load *l, struct slot *slot, const char *device, uint64_t seq, struct sample *s, uint64_t utc_ms,
                         FILE *truth)
{
    struct sample samples[RECORD_SAMPLES_MAX] = { { .no = 0 } };
    uint8_t body[RECORD_BODY_MAX], sealed[RECORD_MAX];

    for (int i = 0; i < l->opt.batch; i++) {
        next_sample(s, &l->opt, utc_ms + (uint64_t)i * (uint64_t)l->opt.step_ms);
        samples[i] = *s;
        if (truth)
            write_truth(truth, s);
    }
    int n = body_encode(samples, (size_t)l->opt.batch, body, sizeof body);

    return n < 0 ? n : keep(slot, sealed, seal(l, device, seq, samples, body, (size_t)n, sealed));
}

/* A record of a device whose samples nobody compares: one of a few bodies. r: its place among the device's. */
static int seal_unmeasured(const struct load *l, int device, int r, uint8_t *out)
{
    uint64_t sample = (uint64_t)r * (uint64_t)l->opt.batch;
    const struct sample first = { .boot = (uint32_t)l->opt.seed,
                                  .no = (uint32_t)sample + 1,
                                  .utc_ms = l->from_utc_ms + sample * (uint64_t)l->opt.step_ms,
                                  .cells = (uint8_t)l->opt.cells,
                                  .temps = (uint8_t)l->opt.temps };
    size_t k = (size_t)(device + r) % BODIES;
    char name[64];

    name_of(l, device, name, sizeof name);
    return seal(l, name, (uint64_t)r + 1, &first, l->bodies[k].bytes, l->bodies[k].size, out);
}

static int make_bodies(struct load *l)
{
    struct sample s = { .boot = (uint32_t)l->opt.seed, .cells = (uint8_t)l->opt.cells, .temps = (uint8_t)l->opt.temps };
    struct sample samples[RECORD_SAMPLES_MAX];

    for (int k = 0; k < BODIES; k++) {
        uint8_t body[RECORD_BODY_MAX];

        for (int i = 0; i < l->opt.batch; i++) {
            next_sample(&s, &l->opt, (uint64_t)(k * l->opt.batch + i) * (uint64_t)l->opt.step_ms);
            samples[i] = s;
        }
        int n = body_encode(samples, (size_t)l->opt.batch, body, sizeof body);

        l->bodies[k].bytes = n > 0 ? malloc((size_t)n) : NULL;
        if (!l->bodies[k].bytes)
            return BMS_ERR_NOSPACE;
        memcpy(l->bodies[k].bytes, body, (size_t)n);
        l->bodies[k].size = (size_t)n;
    }
    return 0;
}

static int make_device(struct load *l, int device)
{
    uint64_t utc_ms = l->from_utc_ms;
    uint8_t sealed[RECORD_MAX];
    struct sample s = { .boot = (uint32_t)l->opt.seed, .cells = (uint8_t)l->opt.cells, .temps = (uint8_t)l->opt.temps };
    bool measured = l->opt.alarms || device < l->opt.truth_devices;
    char name[64], path[300];
    FILE *truth = NULL;
    int err = 0;

    name_of(l, device, name, sizeof name);
    if (*l->opt.truth && device < l->opt.truth_devices) {
        snprintf(path, sizeof path, "%.200s/%s.truth", l->opt.truth, name);
        truth = fopen(path, "wb");
        if (!truth)
            return BMS_ERR_IO;
        fwrite(TRUTH_MAGIC, 1, TRUTH_HEAD, truth);
    }
    for (int r = 0; !err && r < l->opt.records; r++, utc_ms += (uint64_t)l->opt.batch * (uint64_t)l->opt.step_ms) {
        struct slot *slot = &l->slots[(size_t)device * (size_t)l->opt.records + (size_t)r];

        err = measured ? make_measured(l, slot, name, (uint64_t)r + 1, &s, utc_ms, truth)
                       : keep(slot, sealed, seal_unmeasured(l, device, r, sealed));
    }
    if (truth)
        fclose(truth);
    return err;
}

static int make_all(struct load *l)
{
    uint64_t now = (uint64_t)time(NULL) * 1000;
    int err = 0;

    srand((unsigned)l->opt.seed);
    l->epoch = now << 20 | (uint64_t)l->opt.seed;
    l->order = calloc((size_t)l->opt.records, sizeof *l->order);
    if (!l->order)
        return BMS_ERR_NOSPACE;
    for (int r = 0; r < l->opt.records; r++) { /* inside out Fisher-Yates */
        int k = l->opt.shuffle ? rand() % (r + 1) : r;

        l->order[r] = l->order[k];
        l->order[k] = r;
    }
    l->slots = calloc((size_t)l->opt.devices * (size_t)l->opt.records, sizeof *l->slots);
    if (!l->slots)
        return BMS_ERR_NOSPACE;
    err = make_bodies(l);
    l->from_utc_ms = now - (uint64_t)l->opt.ago_s * 1000;
    if (l->opt.late) /* samples are taken from now on */
        return err;
    l->from_utc_ms -= (uint64_t)l->opt.records * (uint64_t)l->opt.batch * (uint64_t)l->opt.step_ms;
    for (int d = 0; !err && d < l->opt.devices; d++)
        err = make_device(l, d);
    return err;
}

/* ---- the link ---- */

static void take_ack(struct load *l, int device, const Cw__Ack *ack)
{
    for (size_t k = 0; k < ack->n_first && k < ack->n_last; k++) {
        for (uint64_t seq = ack->first[k]; seq <= ack->last[k] && seq <= (uint64_t)l->opt.records; seq++) {
            struct slot *slot = &l->slots[(size_t)device * (size_t)l->opt.records + seq - 1];

            if (slot->acked || ack->epoch != l->epoch)
                continue;
            slot->acked = true;
            l->acked++;
            l->under_way--;
        }
    }
}

/* The number behind ".load-" in cw/v1/<tenant>.load-0007/down/ack, or -1. */
static int device_of(const char *topic, size_t n)
{
    static const char mark[] = ".load-";
    int device = 0;
    size_t i = 0;

    while (i + sizeof mark - 1 < n && memcmp(topic + i, mark, sizeof mark - 1) != 0)
        i++;
    if (i + sizeof mark - 1 >= n)
        return -1;
    for (i += sizeof mark - 1; i < n && topic[i] >= '0' && topic[i] <= '9' && device < DEVICES_MAX; i++)
        device = device * 10 + topic[i] - '0';
    return device;
}

static void on_message(void *ctx, const char *topic, size_t topic_n, const uint8_t *payload, size_t n)
{
    struct load *l = ctx;
    int device = device_of(topic, topic_n);
    Cw__Ack *ack = cw__ack__unpack(NULL, n, payload);

    if (ack && device >= 0 && device < l->opt.devices)
        take_ack(l, device, ack);
    cw__ack__free_unpacked(ack, NULL);
}

static int make_client(struct load *l)
{
    static const char *const filters[] = { TOPIC_ROOT "+" TOPIC_ACK };
    const struct bulk_config config = { .client_id = l->id,
                                        .filters = filters,
                                        .filter_n = 1,
                                        .keep_alive_s = 20,
                                        .receive_max = 1000,
                                        .answer_ms = ANSWER_MS,
                                        .ctx = l,
                                        .message = on_message,
                                        .in = l->in,
                                        .in_size = sizeof l->in,
                                        .out = l->out,
                                        .out_size = sizeof l->out };

    snprintf(l->id, sizeof l->id, "cellwarden-load-%d", l->opt.seed);
    return bulk_init(&l->bulk, &config);
}

static void open_link(struct load *l)
{
    const struct tls_wire_files files = { l->opt.ca, l->opt.cert, l->opt.key };
    char host[200], why[200];
    int port = host_split(l->opt.uri + sizeof "ssl://" - 1, host, sizeof host);

    l->wire = tls_wire_open(&files, host, port, ANSWER_MS, why, sizeof why);
    if (l->wire) {
        bulk_connect(&l->bulk, (uint32_t)mono_ms());
        return;
    }
    fprintf(stderr, "cellwarden-load: %s\n", why);
    nanosleep(&(struct timespec) { .tv_sec = 1 }, NULL);
}

/* Returns false when the stream has ended. */
static bool flush(struct load *l)
{
    size_t n = 0;
    int rc = 1;

    for (const uint8_t *p = bulk_output(&l->bulk, &n); n > 0 && rc > 0; p = bulk_output(&l->bulk, &n)) {
        rc = tls_wire_write(l->wire, p, n);
        if (rc > 0)
            bulk_sent(&l->bulk, (size_t)rc);
    }
    return rc >= 0;
}

/* All that came; waits up to ms for the first of it. */
static bool receive(struct load *l, int ms)
{
    size_t n = 0, waiting = 0;
    uint8_t *p = bulk_room(&l->bulk, &n);
    int rc = n > 0 ? tls_wire_read(l->wire, p, n) : 0;

    if (rc == 0 && (l->under_way >= BUSY || l->opt.rate > 0)) {
        nanosleep(&(struct timespec) { .tv_nsec = NAP_US * 1000L }, NULL);
        rc = n > 0 ? tls_wire_read(l->wire, p, n) : 0;
    } else if (rc == 0) {
        bulk_output(&l->bulk, &waiting);
        if (tls_wire_wait(l->wire, waiting > 0, -1, ms) != 0)
            return false;
        rc = n > 0 ? tls_wire_read(l->wire, p, n) : 0;
    }
    for (; rc > 0; rc = n > 0 ? tls_wire_read(l->wire, p, n) : 0) {
        bulk_got(&l->bulk, (size_t)rc, (uint32_t)mono_ms());
        p = bulk_room(&l->bulk, &n);
    }
    return rc == 0;
}

/* ---- send until all are acknowledged ---- */

static struct slot *slot_of(const struct load *l, int place, int device)
{
    return &l->slots[(size_t)device * (size_t)l->opt.records + (size_t)l->order[place]];
}

static bool send_one(struct load *l, int device, struct slot *slot, int64_t now)
{
    char name[64], topic[TOPIC_MAX];
    uint8_t sealed[RECORD_MAX];
    int size = slot->bytes ? slot->size : seal_unmeasured(l, device, (int)((slot - l->slots) % l->opt.records), sealed);

    name_of(l, device, name, sizeof name);
    snprintf(topic, sizeof topic, TOPIC_ROOT "%s" TOPIC_RECORD, name);
    if (l->opt.garbage && size > 0)
        sealed[size / 2] ^= 0xFF; /* its checksum is wrong */
    if (size < 0 || bulk_publish(&l->bulk, topic, slot->bytes ? slot->bytes : sealed, (size_t)size) != 0)
        return false;
    slot->sent_ms = now;
    return true;
}

static bool is_acked(const struct load *l, int place)
{
    for (int d = 0; d < l->opt.devices; d++)
        if (!slot_of(l, place, d)->acked)
            return false;
    return true;
}

/* What got no Ack in time goes again, the oldest first. */
static void repeat(struct load *l, int64_t now)
{
    if (now < l->look_ms)
        return;
    l->look_ms = now + LOOK_MS;
    while (l->first < l->opt.records && is_acked(l, l->first))
        l->first++;
    for (long i = (long)l->first * l->opt.devices; i < l->begun; i++) {
        int device = (int)(i % l->opt.devices);
        struct slot *slot = slot_of(l, (int)(i / l->opt.devices), device);

        if (!slot->acked && now - slot->sent_ms >= RESEND_MS && !send_one(l, device, slot, now))
            return;
    }
}

/* With --rate no more new records are begun than the time since the start allows. */
static void begin(struct load *l, int64_t now)
{
    long all = (long)l->opt.devices * l->opt.records;
    long most = l->opt.rate ? (now - l->from_ms) * l->opt.rate / 1000 : all;

    while (l->begun < all && l->begun < most && l->under_way < l->opt.window) {
        int device = (int)(l->begun % l->opt.devices);

        if (!send_one(l, device, slot_of(l, (int)(l->begun / l->opt.devices), device), now))
            return;
        l->begun++;
        l->under_way++;
    }
}

/* One round: what came, what is due, out with it. */
static void turn(struct load *l)
{
    bool alive = flush(l) && receive(l, 1);
    int64_t now = mono_ms();
    enum bulk_state state = bulk_step(&l->bulk, (uint32_t)now);

    if (state == BULK_UP) {
        if (!l->from_ms) {
            l->from_ms = now;
            l->from_cpu_s = cpu_s();
        }
        repeat(l, now);
        begin(l, now);
    }
    if (alive && state != BULK_DEAD && flush(l))
        return;
    fprintf(stderr, "cellwarden-load: connection ended, reason %u\n", l->bulk.reason);
    tls_wire_close(l->wire);
    l->wire = NULL;
}

static int run(struct load *l)
{
    long all = (long)l->opt.devices * l->opt.records;
    int64_t until = mono_ms() + l->opt.timeout_s * 1000;

    if (!l->order || !l->slots || make_client(l) != 0)
        return BMS_ERR_STATE;
    while (l->acked < all && mono_ms() < until) {
        if (l->wire)
            turn(l);
        else
            open_link(l);
    }
    double s = (double)(mono_ms() - l->from_ms) / 1000;
    long frames = all * l->opt.batch;

    if (l->wire) {
        bulk_stop(&l->bulk);
        flush(l);
        tls_wire_close(l->wire);
    }
    printf("{\"records\":%ld,\"frames\":%ld,\"acked\":%ld,\"seconds\":%.3f,\"frames_per_s\":%.0f,\"cpu_s\":%.3f}\n", all, frames, l->acked,
           s, (double)frames / s, cpu_s() - l->from_cpu_s);
    return l->acked == all ? 0 : BMS_ERR_TIMEOUT;
}

static int usage(void)
{
    fprintf(
        stderr,
        "usage: cellwarden-load --uri ssl://HOST:PORT --ca FILE --cert FILE --key FILE [--tenant NAME] [--truth DIR]\n"
        "       [--devices N] [--records N] [--batch N] [--cells N] [--temps N] [--window N] [--timeout-s S] [--seed N]\n"
        "       [--alarms N] [--shuffle 1]    an alarm for N samples, none for N; records in random order\n"
        "       [--truth-devices N]             a truth file for the first N devices only\n"
        "       [--rate N]                      begin so many records a second, 0 = as many as go\n"
        "       [--step-ms MS] [--ago-s S]      time between two samples (1000); the last was taken so long ago (0)\n"
        "       [--late 1]                      seal a record when it is sent, each time: begins at once and keeps no bytes, but costs\n"
        "                                       the processor while it sends; the first sample is of now. Wants --truth-devices 0\n"
        "       [--garbage 1]                   with --late: every record is broken, so none is ever acknowledged\n");
    return 2;
}

static int take_options(struct options *o, int argc, char *argv[])
{
    const struct {
        const char *flag;
        const char **text;
        int *number;
    } flags[] = { { "--uri", &o->uri, NULL },
                  { "--ca", &o->ca, NULL },
                  { "--cert", &o->cert, NULL },
                  { "--key", &o->key, NULL },
                  { "--tenant", &o->tenant, NULL },
                  { "--truth", &o->truth, NULL },
                  { "--devices", NULL, &o->devices },
                  { "--records", NULL, &o->records },
                  { "--batch", NULL, &o->batch },
                  { "--cells", NULL, &o->cells },
                  { "--temps", NULL, &o->temps },
                  { "--window", NULL, &o->window },
                  { "--timeout-s", NULL, &o->timeout_s },
                  { "--seed", NULL, &o->seed },
                  { "--alarms", NULL, &o->alarms },
                  { "--shuffle", NULL, &o->shuffle },
                  { "--truth-devices", NULL, &o->truth_devices },
                  { "--rate", NULL, &o->rate },
                  { "--step-ms", NULL, &o->step_ms },
                  { "--ago-s", NULL, &o->ago_s },
                  { "--late", NULL, &o->late },
                  { "--garbage", NULL, &o->garbage } };

    for (int i = 1; i < argc; i += 2) {
        size_t k = 0, n = sizeof flags / sizeof flags[0];

        while (k < n && strcmp(flags[k].flag, argv[i]) != 0)
            k++;
        if (k == n || i + 1 == argc)
            return BMS_ERR_RANGE;
        if (flags[k].text)
            *flags[k].text = argv[i + 1];
        else
            *flags[k].number = atoi(argv[i + 1]);
    }
    return 0;
}

static bool can_run(const struct options *o)
{
    return strncmp(o->uri, "ssl://", 6) == 0 && o->devices >= 1 && o->devices <= DEVICES_MAX && o->records >= 1 && o->batch >= 1 &&
           o->batch <= RECORD_SAMPLES_MAX && o->cells >= 0 && o->cells <= PACK_CELLS_MAX && o->temps >= 0 && o->temps <= PACK_TEMPS_MAX &&
           o->step_ms >= 1 && o->ago_s >= 0 && !(o->late && (o->alarms || o->truth_devices)) && (o->late || !o->garbage);
}

int main(int argc, char *argv[])
{
    static struct load l = { .opt = {
                                 "", "", "", "", "demo", "", 10, 100, 10, 48, 12, 5000, 120, 1, 0, 0, DEVICES_MAX, 0, 1000, 0, 0, 0 } };

    if (take_options(&l.opt, argc, argv) != 0 || !can_run(&l.opt))
        return usage();
    signal(SIGPIPE, SIG_IGN); /* a broker that ends is met at the next read */
    int err = make_all(&l);

    err = err ? err : run(&l);
    if (err)
        fprintf(stderr, "cellwarden-load: %s\n", bms_err_text(err));
    return err ? 1 : 0;
}
