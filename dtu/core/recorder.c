/* SPDX-License-Identifier: Apache-2.0 */
#include "dtu/core/recorder.h"

#include <stddef.h>
#include <string.h>

#include "common/err.h"

enum { ENVELOPE = RECORD_MAX - RECORD_BODY_MAX };

int recorder_init(struct recorder *r, struct journal *journal, const char *device, unsigned batch)
{
    size_t n = strlen(device);

    memset(r, 0, offsetof(struct recorder, sample)); /* the buffers behind it are written before they are read */
    if (n == 0 || n > DEVICE_NAME_MAX || batch == 0 || batch > RECORD_SAMPLES_MAX || journal_record_max(journal) <= ENVELOPE)
        return BMS_ERR_RANGE;
    r->journal = journal;
    memcpy(r->device, device, n);
    r->batch = r->limit = batch;
    return BMS_ERR_OK;
}

/* The first n samples as one record. BMS_ERR_NOSPACE: they do not fit. */
static int store(struct recorder *r, size_t n)
{
    size_t room = journal_record_max(r->journal) - ENVELOPE;
    int len = body_encode(r->sample, n, r->body, room < sizeof(r->body) ? room : sizeof(r->body));

    if (len < 0)
        return len;
    const struct sample *last = &r->sample[n - 1];
    struct journal_note note = { .boot = last->boot, .no = last->no, .board_dropped = (uint32_t)r->board_dropped };
    struct record rec = { .epoch = r->journal->epoch,
                          .seq = r->journal->next_seq,
                          .boot = last->boot,
                          .first_no = r->sample[0].no,
                          .count = (uint32_t)n,
                          .first_utc_ms = r->sample[0].utc_ms,
                          .last_utc_ms = last->utc_ms,
                          .cells = last->cells,
                          .temps = last->temps,
                          .body = r->body,
                          .body_len = (size_t)len };

    memcpy(rec.device, r->device, sizeof(rec.device));
    len = record_seal(&rec, r->sealed, sizeof(r->sealed));
    return len < 0 ? len : journal_append(r->journal, r->sealed, (size_t)len, &note);
}

int recorder_flush(struct recorder *r)
{
    while (r->n > 0) {
        size_t n = r->n;
        int err = store(r, n);

        while (err == BMS_ERR_NOSPACE && n > 1) {
            n = (n + 1) / 2;
            err = store(r, n);
        }
        if (err) {
            r->errors++;
            return err;
        }
        r->n -= n;
        memmove(r->sample, r->sample + n, r->n * sizeof(r->sample[0]));
    }
    return BMS_ERR_OK;
}

static bool alarms_changed(const struct recorder *r, const struct sample *s)
{
    if (r->alarms != s->alarms)
        return true;
    for (unsigned i = 0; i < s->alarms; i++)
        if (r->alarm[i].alarm != s->alarm[i].alarm || r->alarm[i].number != s->alarm[i].number)
            return true;
    return false;
}

static unsigned limit_for(const struct recorder *r, const struct sample *s)
{
    if (r->watched || s->alarms > 0 || alarms_changed(r, s))
        return 1;
    return s->scalar[SAMPLE_mode] == PACK_MODE_PARKED ? RECORDER_PARKED : r->batch;
}

int recorder_add(struct recorder *r, const struct sample *s, uint64_t board_dropped, uint32_t now_ms)
{
    bool full = r->n == RECORD_SAMPLES_MAX;

    if (r->n > 0 && (full || !body_can_follow(&r->sample[r->n - 1], s)) && recorder_flush(r) != BMS_ERR_OK)
        return BMS_ERR_NOSPACE;
    r->limit = limit_for(r, s);
    memcpy(r->alarm, s->alarm, sizeof(r->alarm));
    r->alarms = s->alarms;
    if (r->n == 0)
        r->oldest_ms = now_ms;
    r->board_dropped = board_dropped;
    r->sample[r->n++] = *s;
    if (r->n >= r->limit)
        recorder_flush(r); /* on an error they wait for the next try */
    return BMS_ERR_OK;
}

void recorder_step(struct recorder *r, bool watched, uint32_t now_ms)
{
    bool began = watched && !r->watched;

    r->watched = watched;
    if (r->n > 0 && (began || r->n >= r->limit || now_ms - r->oldest_ms >= 2 * r->limit * RECORDER_SAMPLE_MS))
        recorder_flush(r);
}
