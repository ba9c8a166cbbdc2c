/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c -- topic, envelope, names, clock, body, in this order: the first that is wrong names the reason. */
#include "server/ingest/decode.h"

#include "common/err.h"
#include "proto/body.h"
#include "server/ingest/summary.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 86400000 };

const char *poison_word(enum poison_reason reason)
{
    static const char *const words[] = {
#define X(name, word, why) word,
        POISON_TABLE(X)
#undef X
    };

    return (unsigned)reason < POISON_REASONS ? words[reason] : "unknown";
}

bool device_name_is_valid(const char *name, size_t len)
{
    const char *dot = memchr(name, '.', len);

    if (len > DEVICE_NAME_MAX || !dot || dot == name || dot == name + len - 1)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];

        if (name + i != dot && !(c < 0x80 && isalnum(c)) && c != '-' && c != '_')
            return false;
    }
    return true;
}

enum topic_kind topic_parse(const char *topic, size_t len, char *device)
{
    static const struct {
        const char *tail;
        enum topic_kind kind;
    } tails[] = { { TOPIC_RECORD, TOPIC_IS_RECORD }, { TOPIC_RESULT, TOPIC_IS_RESULT }, { TOPIC_STATE, TOPIC_IS_STATE } };
    const size_t root = sizeof TOPIC_ROOT - 1;

    device[0] = '\0';
    if (len <= root || memcmp(topic, TOPIC_ROOT, root) != 0)
        return TOPIC_IS_OTHER;
    const char *name = topic + root;
    const char *slash = memchr(name, '/', len - root);
    size_t n = slash ? (size_t)(slash - name) : 0;

    if (!slash || !device_name_is_valid(name, n))
        return TOPIC_IS_OTHER;
    memcpy(device, name, n);
    device[n] = '\0';
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++)
        if (strlen(tails[i].tail) == len - root - n && memcmp(slash, tails[i].tail, len - root - n) == 0)
            return tails[i].kind;
    return TOPIC_IS_OTHER;
}

static bool is_known_error(int err)
{
    return err == BMS_ERR_SCHEMA || err == BMS_ERR_RANGE;
}

static enum poison_reason reason_of(int err)
{
    return err == BMS_ERR_SCHEMA ? POISON_SCHEMA : err == BMS_ERR_RANGE ? POISON_COUNT : POISON_CORRUPT;
}

/* POISON_REASONS = nothing wrong with the names. */
static enum poison_reason check_names(const char *on_topic, const char *inside)
{
    size_t tenant = strcspn(on_topic, ".");

    if (strcmp(on_topic, inside) == 0)
        return POISON_REASONS;
    return strncmp(on_topic, inside, tenant + 1) == 0 ? POISON_DEVICE : POISON_TENANT;
}

static enum poison_reason check_clock(const struct record *r, int64_t now_ms, int64_t retention_ms)
{
    uint64_t oldest = now_ms > retention_ms ? (uint64_t)(now_ms - retention_ms) : 0;
    uint64_t newest = (uint64_t)now_ms + DAY_MS;

    if (r->first_utc_ms < oldest || r->last_utc_ms < oldest)
        return POISON_CLOCK_PAST;
    return r->first_utc_ms > newest || r->last_utc_ms > newest ? POISON_CLOCK_FUTURE : POISON_REASONS;
}

static enum poison_reason check(const char *device, const struct record *r, int err, size_t size, int64_t now_ms, int64_t retention_ms)
{
    if (size == 0 || size > RECORD_MAX)
        return POISON_SIZE;
    if (err)
        return reason_of(err);
    enum poison_reason bad = check_names(device, r->device);

    return bad != POISON_REASONS ? bad : check_clock(r, now_ms, retention_ms);
}

/* The topic as text that every table and log takes. */
static void print_topic(char *out, size_t size, const char *topic, size_t len)
{
    size_t n = len < size - 1 ? len : size - 1;

    for (size_t i = 0; i < n; i++)
        out[i] = topic[i] >= 0x20 && topic[i] < 0x7F ? topic[i] : '?';
    out[n] = '\0';
}

/* Most records have none and cost nothing here. */
static void keep_runs(struct decoded *out, const struct columns *columns)
{
    struct alarm_run runs[ALARM_RUNS_MAX];

    out->run_count = alarm_runs(columns, runs, ALARM_RUNS_MAX);
    out->runs = out->run_count > 0 ? malloc(out->run_count * sizeof runs[0]) : NULL;
    if (out->runs)
        memcpy(out->runs, runs, out->run_count * sizeof runs[0]);
}

void decoded_free(struct decoded *d)
{
    free(d->runs);
    d->runs = NULL;
}

bool decode_record(const char *topic, size_t topic_len, const uint8_t *bytes, size_t size, int64_t now_ms, int64_t retention_ms,
                   struct decoded *out, struct poison *poison)
{
    struct columns columns;
    struct record r = { .seq = 0 };
    enum poison_reason bad = POISON_TOPIC;
    enum topic_kind kind = topic_parse(topic, topic_len, out->device);
    int err = size > 0 && size <= RECORD_MAX ? record_open(bytes, size, &r) : BMS_ERR_TRUNCATED;

    if (kind == TOPIC_IS_RECORD)
        bad = check(out->device, &r, err, size, now_ms, retention_ms);
    if (bad == POISON_REASONS && body_columns(&r, &columns) != 0)
        bad = POISON_BODY;
    if (bad != POISON_REASONS) {
        *poison = (struct poison) { .reason = bad, .epoch = r.epoch, .seq = r.seq, .received_ms = now_ms, .bytes = bytes, .size = size };
        poison->named = (!err || is_known_error(err)) && r.seq > 0;
        print_topic(poison->topic, sizeof poison->topic, topic, topic_len);
        memcpy(poison->device, out->device, sizeof poison->device);
        return false;
    }
    out->epoch = r.epoch;
    out->seq = r.seq;
    out->boot = r.boot;
    out->first_no = r.first_no;
    out->count = r.count;
    out->first_ms = (int64_t)r.first_utc_ms;
    out->last_ms = (int64_t)r.last_utc_ms;
    out->received_ms = now_ms;
    out->summary = summarise(&columns);
    keep_runs(out, &columns);
    columns_sample(&columns, r.count - 1, &out->last);
    out->bytes = bytes;
    out->size = size;
    return true;
}
