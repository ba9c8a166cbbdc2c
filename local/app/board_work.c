/* SPDX-License-Identifier: Apache-2.0 */
/* board_work.c -- the cable's thread: what waits is begun, one thing at a time, and its end is noted; upgrade and simulated failures themselves. */
#include "local/app/board_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/bytes.h"
#include "common/err.h"
#include "server/clock.h"

enum { PROGRESS_MS = 200, START = 1, STOP = 2, RESULT = 3, ROUTINE_HEAD = 4, SIMULATED = 3, KEEP_MS = 1000 };

static bool begin_upgrade(struct board *b)
{
    pthread_mutex_lock(&b->lock);
    bool waiting = b->progress.state == BOARD_WAITING;
    uint32_t size = b->progress.size;

    if (waiting)
        b->progress.state = BOARD_WORKING;
    pthread_mutex_unlock(&b->lock);
    if (!waiting || tester_upgrade(&b->cable.tester, b->image, size) != BMS_ERR_OK)
        return false;
    b->job = BOARD_JOB_UPGRADE;
    return true;
}

static void note(struct board *b)
{
    const struct upgrade *u = &b->cable.tester.upgrade;

    b->progress.phase = u->phase;
    b->progress.sent = u->sent;
    b->progress.resumed = u->resumed;
    b->progress.changed_ms = clock_utc_ms();
}

void board_note_progress(struct board *b, uint32_t now_ms)
{
    if (b->job != BOARD_JOB_UPGRADE || now_ms - b->told_ms < PROGRESS_MS)
        return;
    b->told_ms = now_ms;
    pthread_mutex_lock(&b->lock);
    note(b);
    pthread_mutex_unlock(&b->lock);
}

static void end_upgrade(struct board *b)
{
    pthread_mutex_lock(&b->lock);
    note(b);
    b->progress.state = b->cable.tester.end == TESTER_OK ? BOARD_WELL : BOARD_FAILED;
    snprintf(b->progress.detail, sizeof(b->progress.detail), "%s", b->cable.tester.detail);
    free(b->image);
    b->image = NULL;
    pthread_mutex_unlock(&b->lock);
    board_read_after_start(b);
}

/* The board ends a simulation when nobody asks it anything for S3, and at each change of session: so it is asked, and the session of the first one
 * serves those that follow. */
static bool begin_simulation(struct board *b, uint32_t now_ms)
{
    uint8_t request[ROUTINE_HEAD + SIMULATED] = { UDS_ROUTINE, RESULT };
    size_t n = ROUTINE_HEAD;

    put_be16(request + 2, UDS_ROUTINE_SIMULATE);
    pthread_mutex_lock(&b->lock);
    bool lives = b->simulation.count > 0, waiting = b->simulation.state == BOARD_WAITING;

    waiting = waiting || (lives && now_ms - b->simulated_ms >= KEEP_MS);
    if (waiting) {
        b->simulation.state = BOARD_WORKING;
        request[1] = b->simulate_stop ? STOP : b->simulate_alarm ? START : RESULT;
    }
    if (waiting && request[1] == START) {
        request[ROUTINE_HEAD] = b->simulate_alarm;
        put_be16(request + ROUTINE_HEAD + 1, b->simulate_seconds);
        n += SIMULATED;
    }
    pthread_mutex_unlock(&b->lock);
    enum tester_access access = request[1] == START && !lives ? TESTER_KEY : TESTER_OPEN;

    if (!waiting || tester_ask(&b->cable.tester, request, n, access) != BMS_ERR_OK)
        return false;
    b->simulated_ms = now_ms;
    b->job = BOARD_JOB_SIMULATE;
    return true;
}

/* After a start or a stop the board is asked what is simulated now. */
static void end_simulation(struct board *b)
{
    const struct tester *t = &b->cable.tester;
    const uint8_t *p = t->answer;

    pthread_mutex_lock(&b->lock);
    struct board_simulation *s = &b->simulation;
    bool asked = b->simulate_alarm == 0 && !b->simulate_stop;

    s->changed_ms = clock_utc_ms();
    s->state = t->end != TESTER_OK ? BOARD_FAILED : asked ? BOARD_WELL : BOARD_WAITING;
    if (t->end != TESTER_OK || !asked)
        snprintf(s->detail, sizeof(s->detail), "%s", t->detail);
    if (t->end == TESTER_OK && asked) {
        s->count = 0;
        for (size_t at = ROUTINE_HEAD; at + SIMULATED <= t->answer_n && s->count < BOARD_SIMULATED_MAX; at += SIMULATED) {
            s->active[s->count].alarm = p[at];
            s->active[s->count++].seconds = get_be16(p + at + 1);
        }
    }
    b->simulate_alarm = 0;
    b->simulate_stop = false;
    pthread_mutex_unlock(&b->lock);
}

/* --- the cable's thread --- */

void board_begin_work(struct board *b, uint32_t now_ms)
{
    if (board_begin_op(b) || begin_upgrade(b) || begin_simulation(b, now_ms))
        return;
    if (board_begin_other(b))
        b->job = BOARD_JOB_OTHER;
    else
        board_begin_reading(b, now_ms);
}

void board_end_work(struct board *b, uint32_t now_ms)
{
    enum board_job job = b->job;

    b->job = BOARD_JOB_NONE;
    switch (job) {
    case BOARD_JOB_OP:
        board_end_op(b);
        break;
    case BOARD_JOB_UPGRADE:
        end_upgrade(b);
        break;
    case BOARD_JOB_SIMULATE:
        end_simulation(b);
        break;
    case BOARD_JOB_READ:
        board_end_reading(b, now_ms);
        break;
    case BOARD_JOB_OTHER:
        board_end_other(b);
        break;
    default:
        break;
    }
}

void board_drop_work(struct board *b)
{
    struct tester *t = &b->cable.tester;

    if (b->job == BOARD_JOB_NONE)
        return;
    t->task = TESTER_NOTHING;
    t->end = TESTER_SILENT;
    t->run.has_values = false;
    snprintf(t->detail, sizeof(t->detail), "the cable's link is gone");
    board_end_work(b, cable_now_ms());
    cable_forget(&b->cable);
    t->checks_reads = true;
}
