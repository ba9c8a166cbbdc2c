/* SPDX-License-Identifier: Apache-2.0 */
/* board_other.c -- a board whose tables are not ours: its own are read (UDS 35), checked, and its values by them. To look at; nothing is written.
 *
 *   WAITING ──> upload ──> running values ──> stored values ──> WELL      anything that goes wrong: FAILED, with the reason
 */
#include "local/app/board_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "local/core/did_values.h"

enum { STEP_UPLOAD, STEP_RUNNING, STEP_STORED };

static const char nonsense[] = "the board's answer makes no sense";

/* --- from any thread --- */

int board_read_other(struct board *b)
{
    pthread_mutex_lock(&b->lock);
    bool busy = !b->other.known || b->other.state == BOARD_WAITING || b->other.state == BOARD_WORKING;

    if (!busy) {
        b->other.state = BOARD_WAITING;
        b->other.got = b->other.size = 0;
        b->other.detail[0] = '\0';
    }
    pthread_mutex_unlock(&b->lock);
    return busy ? BMS_ERR_STATE : BMS_ERR_OK;
}

void board_other(struct board *b, struct board_other *out)
{
    pthread_mutex_lock(&b->lock);
    *out = b->other;
    out->rows = out->count > 0 ? malloc(out->count * sizeof(out->rows[0])) : NULL;
    if (out->rows != NULL)
        memcpy(out->rows, b->other.rows, out->count * sizeof(out->rows[0]));
    else
        out->count = 0;
    pthread_mutex_unlock(&b->lock);
}

/* --- on the cable's thread --- */

static void free_work(struct board_reading *r)
{
    free(r->packed);
    free(r->rows);
    board_tables_deinit(&r->tables);
    *r = (struct board_reading) { .step = STEP_UPLOAD };
}

/* Ended: well without a reason. The rows that were made are shown from now on. */
static void finish(struct board *b, const char *why)
{
    struct board_reading *r = &b->reading;

    pthread_mutex_lock(&b->lock);
    b->other.state = why == NULL ? BOARD_WELL : BOARD_FAILED;
    snprintf(b->other.detail, sizeof(b->other.detail), "%s", why == NULL ? "" : why);
    if (why == NULL) {
        free(b->other.rows);
        b->other.rows = r->rows;
        b->other.count = r->count;
        r->rows = NULL;
    }
    pthread_mutex_unlock(&b->lock);
    free_work(r);
}

void board_other_seen(struct board *b, uint32_t hash)
{
    pthread_mutex_lock(&b->lock);
    bool changed = b->other.known != (hash != 0) || b->other.hash != hash;

    if (changed) {
        free(b->other.rows);
        b->other = (struct board_other) { .known = hash != 0, .hash = hash };
    }
    pthread_mutex_unlock(&b->lock);
    if (changed)
        free_work(&b->reading);
}

/* Names and units with an end and without control characters: they are shown. */
static bool copy_text(char *to, size_t size, const char *from)
{
    size_t len = strlen(from);

    if (len >= size)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)from[i] < ' ')
            return false;
    memcpy(to, from, len + 1);
    return true;
}

static const char *unpack(struct board_reading *r)
{
    const struct catalogue_upload *u = &r->upload;
    int err = board_tables_init(&r->tables, r->packed, u->packed_size, u->plain_size, u->hash);

    free(r->packed);
    r->packed = NULL;
    if (err != BMS_ERR_OK)
        return err == BMS_ERR_NOSPACE ? "no memory" : "the board's tables are damaged: their rows do not have their hash";
    r->count = board_tables_params(&r->tables);
    r->rows = calloc(r->count, sizeof(r->rows[0]));
    if (r->rows == NULL)
        return "no memory";
    for (size_t i = 0; i < r->count; i++) {
        struct board_table_row row;

        board_tables_row(&r->tables, i, &row);
        if (!copy_text(r->rows[i].name, sizeof(r->rows[i].name), row.name) ||
            !copy_text(r->rows[i].unit, sizeof(r->rows[i].unit), row.unit))
            return "the board's tables have a name that is too long or cannot be shown";
        r->rows[i].id = row.id;
        r->rows[i].min = row.min;
        r->rows[i].max = row.max;
    }
    board_tables_deinit(&r->tables);
    r->step = STEP_RUNNING;
    r->at = 0;
    return NULL;
}

static const char *take_upload(struct board *b, const struct tester *t)
{
    struct board_reading *r = &b->reading;

    if (catalogue_upload_answer(&r->upload, t->answer, t->answer_n) != BMS_ERR_OK)
        return nonsense;
    pthread_mutex_lock(&b->lock);
    b->other.got = r->upload.got;
    b->other.size = r->upload.packed_size;
    pthread_mutex_unlock(&b->lock);
    return r->upload.phase == CATALOGUE_DONE ? unpack(r) : NULL;
}

/* The next values; true when they were the last. */
static const char *take_values(struct board_reading *r, const struct tester *t, bool *last)
{
    int32_t value[DID_VALUES_BLOCK];
    size_t count = (r->request_n - 1) / 2;

    if (did_values_take(r->request, r->request_n, t->answer, t->answer_n, value) != BMS_ERR_OK)
        return nonsense;
    for (size_t i = 0; i < count; i++)
        *(r->step == STEP_RUNNING ? &r->rows[r->at + i].running : &r->rows[r->at + i].stored) = value[i];
    r->at += count;
    *last = r->at == r->count && r->step == STEP_STORED;
    if (r->at == r->count && r->step == STEP_RUNNING) {
        r->step = STEP_STORED;
        r->at = 0;
    }
    return NULL;
}

static size_t ask_values(struct board_reading *r)
{
    uint16_t id[DID_VALUES_BLOCK];
    size_t left = r->count - r->at, count = left < DID_VALUES_BLOCK ? left : DID_VALUES_BLOCK;

    for (size_t i = 0; i < count; i++)
        id[i] = r->rows[r->at + i].id;
    return did_values_request(r->step == STEP_RUNNING ? DID_PARAM_RUNNING : DID_PARAM_STORED, id, count, r->request);
}

bool board_begin_other(struct board *b)
{
    struct board_reading *r = &b->reading;

    pthread_mutex_lock(&b->lock);
    bool starts = b->other.state == BOARD_WAITING, works = starts || b->other.state == BOARD_WORKING;

    if (starts)
        b->other.state = BOARD_WORKING;
    pthread_mutex_unlock(&b->lock);
    if (starts) {
        free_work(r);
        if ((r->packed = malloc(CATALOGUE_PACKED_MAX)) == NULL) {
            finish(b, "no memory");
            return false;
        }
        catalogue_upload_start(&r->upload, r->packed);
    }
    if (!works)
        return false;
    r->request_n = r->step == STEP_UPLOAD ? catalogue_upload_request(&r->upload, r->request) : ask_values(r);
    return tester_ask(&b->cable.tester, r->request, r->request_n, TESTER_OPEN) == BMS_ERR_OK;
}

void board_end_other(struct board *b)
{
    const struct tester *t = &b->cable.tester;
    bool last = false;
    const char *why = t->end != TESTER_OK              ? t->detail
                      : b->reading.step == STEP_UPLOAD ? take_upload(b, t)
                                                       : take_values(&b->reading, t, &last);

    if (why != NULL || last)
        finish(b, why);
}

void board_other_deinit(struct board *b)
{
    free_work(&b->reading);
    free(b->other.rows);
}
