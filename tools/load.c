/* SPDX-License-Identifier: Apache-2.0 */
/* load.c -- cellwarden-load: many devices' records through one connection, for measuring and testing the server.
 *
 * Not a DTU: the journal is in memory and one certificate speaks for all devices, so the broker's rules must allow that (a private broker in tests).
 * It does keep the one promise that matters: a record is sent again until an Ack names it. With --truth it writes what was measured, in the
 * format of sim/truth.h, so cellwarden-verify can prove that all of it arrived.
 */
#include "common/bytes.h"
#include "common/err.h"
#include "proto/body.h"
#include "proto/downlink.pb-c.h"
#include "proto/topics.h"
#include "sim/truth.h"

#include <MQTTAsync.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RESEND_MS = 3000, DEVICES_MAX = 10000, BODIES = 64 };

struct options {
    const char *uri, *ca, *cert, *key, *tenant, *truth;
    int devices, records, batch, cells, temps, window, timeout_s, seed, alarms, shuffle, truth_devices, rate;
};

struct slot { /* one sealed record */
    uint8_t *bytes;
    int size;
    bool acked;
    int64_t sent_ms; /* monotonic, 0 = not yet */
};

struct load {
    struct options opt;
    MQTTAsync client;
    uint64_t epoch;
    int *order;         /* of the records of each device */
    struct slot *slots; /* [device * records + seq - 1] */
    pthread_mutex_t lock;
    long acked, under_way;
    long begun;      /* records sent at least once */
    int64_t from_ms; /* when the first could go */
    int first;       /* place in order[] before which all devices' records are acknowledged */
    struct {         /* of devices without a truth file: a body says nothing of its time, so a few do for all */
        uint8_t *bytes;
        size_t size;
    } bodies[BODIES];
    bool up;
};

static int64_t mono_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void pause_ms(long ms)
{
    struct timespec t = { .tv_nsec = ms * 1000000 };

    nanosleep(&t, NULL);
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

static int seal(struct load *l, struct slot *slot, const char *device, uint64_t seq, const struct sample *first, const uint8_t *body,
                size_t size)
{
    uint8_t sealed[RECORD_MAX];
    struct record r = { .epoch = l->epoch,
                        .seq = seq,
                        .boot = first->boot,
                        .first_no = first->no,
                        .count = (uint32_t)l->opt.batch,
                        .first_utc_ms = first->utc_ms,
                        .last_utc_ms = first->utc_ms + (uint64_t)(l->opt.batch - 1) * 1000,
                        .cells = first->cells,
                        .temps = first->temps,
                        .body = body,
                        .body_len = size };

    snprintf(r.device, sizeof r.device, "%s", device);
    slot->size = record_seal(&r, sealed, sizeof sealed);
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
    uint8_t body[RECORD_BODY_MAX];

    for (int i = 0; i < l->opt.batch; i++) {
        next_sample(s, &l->opt, utc_ms + (uint64_t)i * 1000);
        samples[i] = *s;
        if (truth)
            write_truth(truth, s);
    }
    int n = body_encode(samples, (size_t)l->opt.batch, body, sizeof body);

    return n < 0 ? n : seal(l, slot, device, seq, samples, body, (size_t)n);
}

static int make_bodies(struct load *l)
{
    struct sample s = { .boot = (uint32_t)l->opt.seed, .cells = (uint8_t)l->opt.cells, .temps = (uint8_t)l->opt.temps };
    struct sample samples[RECORD_SAMPLES_MAX];

    for (int k = 0; k < BODIES; k++) {
        uint8_t body[RECORD_BODY_MAX];

        for (int i = 0; i < l->opt.batch; i++) {
            next_sample(&s, &l->opt, (uint64_t)(k * l->opt.batch + i) * 1000);
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

static int make_device(struct load *l, int device, uint64_t utc_ms)
{
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
    for (int r = 0; !err && r < l->opt.records; r++, utc_ms += (uint64_t)l->opt.batch * 1000) {
        struct slot *slot = &l->slots[(size_t)device * (size_t)l->opt.records + (size_t)r];
        size_t k = (size_t)(device + r) % BODIES;

        if (measured) {
            err = make_measured(l, slot, name, (uint64_t)r + 1, &s, utc_ms, truth);
            continue;
        }
        s.no = (uint32_t)r * (uint32_t)l->opt.batch + 1;
        s.utc_ms = utc_ms;
        err = seal(l, slot, name, (uint64_t)r + 1, &s, l->bodies[k].bytes, l->bodies[k].size);
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
    for (int d = 0; !err && d < l->opt.devices; d++)
        err = make_device(l, d, now - (uint64_t)l->opt.records * (uint64_t)l->opt.batch * 1000);
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

static int on_arrived(void *ctx, char *topic, int len, MQTTAsync_message *m)
{
    struct load *l = ctx;
    const char *number = strstr(topic, ".load-");
    Cw__Ack *ack = cw__ack__unpack(NULL, (size_t)m->payloadlen, m->payload);

    (void)len;
    if (ack && number && atoi(number + 6) < l->opt.devices) {
        pthread_mutex_lock(&l->lock);
        take_ack(l, atoi(number + 6), ack);
        pthread_mutex_unlock(&l->lock);
    }
    cw__ack__free_unpacked(ack, NULL);
    MQTTAsync_freeMessage(&m);
    MQTTAsync_free(topic);
    return 1;
}

static void on_subscribed(void *ctx, MQTTAsync_successData5 *data)
{
    struct load *l = ctx;

    (void)data;
    l->up = true;
}

static void on_connected(void *ctx, char *cause)
{
    struct load *l = ctx;
    MQTTAsync_callOptions opts = MQTTAsync_callOptions_initializer;
    char filter[100];

    (void)cause;
    opts.onSuccess5 = on_subscribed;
    opts.context = l;
    snprintf(filter, sizeof filter, TOPIC_ROOT "+" TOPIC_ACK);
    MQTTAsync_subscribe(l->client, filter, 1, &opts);
}

static void on_lost(void *ctx, char *cause)
{
    struct load *l = ctx;

    (void)cause;
    l->up = false;
}

static int open_link(struct load *l)
{
    MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer5;
    MQTTAsync_connectOptions opts = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
    char id[40];

    snprintf(id, sizeof id, "cellwarden-load-%d", l->opt.seed);
    MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR);
    create.maxBufferedMessages = 100000;
    tls.trustStore = l->opt.ca;
    tls.keyStore = l->opt.cert;
    tls.privateKey = l->opt.key;
    tls.verify = 1;
    opts.cleanstart = 1;
    opts.automaticReconnect = 1;
    opts.minRetryInterval = 1;
    opts.maxRetryInterval = 2;
    opts.maxInflight = 1000;
    opts.ssl = strncmp(l->opt.uri, "ssl", 3) == 0 ? &tls : NULL;
    if (MQTTAsync_createWithOptions(&l->client, l->opt.uri, id, MQTTCLIENT_PERSISTENCE_NONE, NULL, &create) != MQTTASYNC_SUCCESS)
        return BMS_ERR_IO;
    MQTTAsync_setCallbacks(l->client, l, on_lost, on_arrived, NULL);
    MQTTAsync_setConnected(l->client, l, on_connected);
    return MQTTAsync_connect(l->client, &opts) == MQTTASYNC_SUCCESS ? 0 : BMS_ERR_IO;
}

/* ---- send until all are acknowledged ---- */

static void send_one(struct load *l, int device, struct slot *slot)
{
    MQTTAsync_responseOptions opts = MQTTAsync_responseOptions_initializer;
    char name[64], topic[TOPIC_MAX];

    name_of(l, device, name, sizeof name);
    snprintf(topic, sizeof topic, TOPIC_ROOT "%s" TOPIC_RECORD, name);
    if (MQTTAsync_send(l->client, topic, slot->size, slot->bytes, 1, 0, &opts) == MQTTASYNC_SUCCESS)
        slot->sent_ms = mono_ms();
}

static bool is_acked(const struct load *l, int r)
{
    for (int d = 0; d < l->opt.devices; d++)
        if (!l->slots[(size_t)d * (size_t)l->opt.records + (size_t)l->order[r]].acked)
            return false;
    return true;
}

/* With --rate no more new records are begun than the time since the start allows. */
static bool is_time(const struct load *l)
{
    return l->opt.rate == 0 || l->begun < (mono_ms() - l->from_ms) * l->opt.rate / 1000;
}

/* One walk over all records, oldest of each device first (or shuffled). */
static void walk(struct load *l)
{
    while (l->first < l->opt.records && is_acked(l, l->first))
        l->first++;
    for (int r = l->first; r < l->opt.records; r++) {
        for (int d = 0; d < l->opt.devices; d++) {
            struct slot *slot = &l->slots[(size_t)d * (size_t)l->opt.records + (size_t)l->order[r]];

            if (slot->acked || !l->up || (slot->sent_ms && mono_ms() - slot->sent_ms < RESEND_MS))
                continue;
            if (!slot->sent_ms && (l->under_way >= l->opt.window || !is_time(l)))
                return; /* acks first; and what was lost on the way is sent again from the start */
            pthread_mutex_lock(&l->lock);
            l->under_way += slot->sent_ms == 0;
            l->begun += slot->sent_ms == 0;
            pthread_mutex_unlock(&l->lock);
            send_one(l, d, slot);
        }
    }
}

static int run(struct load *l)
{
    long all = (long)l->opt.devices * l->opt.records;
    int64_t until = mono_ms() + l->opt.timeout_s * 1000;

    if (!l->order || !l->slots)
        return BMS_ERR_STATE;
    if (open_link(l) != 0)
        return BMS_ERR_IO;
    while (!l->up && mono_ms() < until)
        pause_ms(10);
    l->from_ms = mono_ms();
    while (l->acked < all && mono_ms() < until) {
        walk(l);
        pause_ms(1);
    }
    double s = (double)(mono_ms() - l->from_ms) / 1000;
    long frames = all * l->opt.batch;

    printf("{\"records\":%ld,\"frames\":%ld,\"acked\":%ld,\"seconds\":%.3f,\"frames_per_s\":%.0f}\n", all, frames, l->acked, s,
           (double)frames / s);
    return l->acked == all ? 0 : BMS_ERR_TIMEOUT;
}

static int usage(void)
{
    fprintf(stderr, "usage: cellwarden-load --uri ssl://HOST:PORT --ca FILE --cert FILE --key FILE [--tenant NAME] [--truth DIR]\n"
                    "       [--devices N] [--records N] [--batch N] [--cells N] [--temps N] [--window N] [--timeout-s S] [--seed N]\n"
                    "       [--alarms N] [--shuffle 1]    an alarm for N samples, none for N; records in random order\n"
                    "       [--truth-devices N]             a truth file for the first N devices only\n"
                    "       [--rate N]                      begin so many records a second, 0 = as many as go\n");
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
                  { "--rate", NULL, &o->rate } };

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
    return *o->uri && o->devices >= 1 && o->devices <= DEVICES_MAX && o->records >= 1 && o->batch >= 1 && o->batch <= RECORD_SAMPLES_MAX &&
           o->cells >= 0 && o->cells <= PACK_CELLS_MAX && o->temps >= 0 && o->temps <= PACK_TEMPS_MAX;
}

int main(int argc, char *argv[])
{
    static struct load l = { .opt = { "", "", "", "", "demo", "", 10, 100, 10, 48, 12, 5000, 120, 1, 0, 0, DEVICES_MAX, 0 } };

    if (take_options(&l.opt, argc, argv) != 0 || !can_run(&l.opt))
        return usage();
    pthread_mutex_init(&l.lock, NULL);
    int err = make_all(&l);

    err = err ? err : run(&l);
    if (err)
        fprintf(stderr, "cellwarden-load: %s\n", bms_err_text(err));
    return err ? 1 : 0;
}
