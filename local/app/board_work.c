/* SPDX-License-Identifier: Apache-2.0 */
/* board_work.c -- what the board is told to do: orders wait here, one is under way, its end is noted. */
#include "local/app/board_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/err.h"
#include "local/core/uds_words.h"
#include "proto/tables.h"
#include "server/clock.h"
#include "server/log.h"

enum {
    READ_AGAIN_MS = 2000,
    OTHER_TABLES_MS = 60000,
    PROGRESS_MS = 200,
    START = 1,
    STOP = 2,
    RESULT = 3,
    ROUTINE_HEAD = 4,
    SIMULATED = 3,
    KEEP_MS = 1000
};

/* --- orders, from any thread --- */

static bool has_ended(const struct op *op)
{
    return op->state == OP_DONE || op->state == OP_FAILED || op->state == OP_EXPIRED;
}

static bool is_free(const struct board_op *o)
{
    return o->op.id[0] == '\0' || has_ended(&o->op);
}

static void fill(struct board *b, struct board_op *o, const struct op_request *request)
{
    memset(&o->op, 0, sizeof(o->op));
    snprintf(o->op.id, sizeof(o->op.id), "%016llx", (unsigned long long)b->next_id++);
    snprintf(o->op.device, sizeof(o->op.device), "%s", b->device);
    snprintf(o->op.by, sizeof(o->op.by), "%s", request->by);
    snprintf(o->op.reason, sizeof(o->op.reason), "%s", request->reason ? request->reason : "");
    o->op.kind = request->kind;
    o->op.state = OP_QUEUED;
    o->op.created_at_ms = o->op.changed_at_ms = clock_utc_ms();
    o->count = request->count;
    if (request->count > 0)
        memcpy(o->values, request->values, request->count * sizeof(o->values[0]));
}

int board_order(struct board *b, const struct op_request *request, struct op *op)
{
    if (request->count > COMMAND_WRITES_MAX)
        return BMS_ERR_NOSPACE;
    pthread_mutex_lock(&b->lock);
    struct board_op *o = &b->ops[b->ops_next % BOARD_OPS];
    bool room = is_free(o);

    if (room) {
        b->ops_next++;
        fill(b, o, request);
        *op = o->op;
    }
    pthread_mutex_unlock(&b->lock);
    return room ? BMS_ERR_OK : BMS_ERR_NOSPACE;
}

bool board_op(struct board *b, const char *id, struct op *out)
{
    bool found = false;

    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < BOARD_OPS && !found; i++) {
        found = id[0] != '\0' && strcmp(b->ops[i].op.id, id) == 0;
        if (found)
            *out = b->ops[i].op;
    }
    pthread_mutex_unlock(&b->lock);
    return found;
}

int board_upgrade(struct board *b, uint8_t *image, uint32_t size)
{
    struct fleet_vehicle vehicle;

    board_vehicle(b, &vehicle);
    pthread_mutex_lock(&b->lock);
    bool busy = b->progress.state == BOARD_WAITING || b->progress.state == BOARD_WORKING;

    if (!busy) {
        free(b->image);
        b->image = image;
        b->progress = (struct board_progress) { .state = BOARD_WAITING, .size = size, .boot = vehicle.sample.boot };
        b->progress.began_ms = b->progress.changed_ms = clock_utc_ms();
    }
    pthread_mutex_unlock(&b->lock);
    return busy ? BMS_ERR_STATE : BMS_ERR_OK;
}

void board_upgrade_progress(struct board *b, struct board_progress *out)
{
    pthread_mutex_lock(&b->lock);
    *out = b->progress;
    pthread_mutex_unlock(&b->lock);
}

int board_simulate(struct board *b, uint8_t alarm, uint16_t seconds)
{
    pthread_mutex_lock(&b->lock);
    bool wished = b->simulate_alarm || b->simulate_stop; /* else the board is only to be asked what it simulates: a wish goes before that */
    bool busy = b->simulation.state == BOARD_WORKING || (b->simulation.state == BOARD_WAITING && wished);

    if (!busy) {
        b->simulation.state = BOARD_WAITING;
        b->simulate_alarm = alarm;
        b->simulate_seconds = seconds;
        b->simulate_stop = alarm == 0 && seconds > 0;
    }
    pthread_mutex_unlock(&b->lock);
    return busy ? BMS_ERR_STATE : BMS_ERR_OK;
}

void board_simulation(struct board *b, struct board_simulation *out)
{
    pthread_mutex_lock(&b->lock);
    *out = b->simulation;
    pthread_mutex_unlock(&b->lock);
}

/* --- operations --- */

/* Note where it stands, and tell. */
static void change(struct board *b, struct board_op *o, enum op_state state, const char *detail)
{
    static struct op told; /* large; this thread alone */

    pthread_mutex_lock(&b->lock);
    o->op.state = state;
    o->op.changed_at_ms = clock_utc_ms();
    snprintf(o->op.detail, sizeof(o->op.detail), "%s", detail);
    told = o->op;
    pthread_mutex_unlock(&b->lock);
    board_tell(b, EVENT_OP, &told);
}

static struct board_op *next_op(struct board *b)
{
    struct board_op *oldest = NULL;

    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < BOARD_OPS && oldest == NULL; i++) {
        struct board_op *o = &b->ops[(b->ops_next + i) % BOARD_OPS];

        oldest = o->op.id[0] != '\0' && o->op.state == OP_QUEUED ? o : NULL;
    }
    pthread_mutex_unlock(&b->lock);
    return oldest;
}

static bool begin_op(struct board *b)
{
    static struct command cmd;
    struct board_op *o = next_op(b);

    if (o == NULL)
        return false;
    memset(&cmd, 0, sizeof(cmd));
    cmd.act = o->op.kind == OP_RESTART ? COMMAND_RESTART : o->op.kind == OP_READ ? COMMAND_READ : COMMAND_WRITE;
    cmd.store = o->op.kind == OP_FLASH;
    for (size_t i = 0; i < o->count; i++)
        cmd.write[cmd.writes++] = (struct command_write) { .id = (uint32_t)o->values[i].id, .value = (int32_t)o->values[i].value };
    if (tester_params(&b->cable.tester, &cmd) != BMS_ERR_OK)
        return false;
    b->job = BOARD_JOB_OP;
    b->at_work = o;
    change(b, o, OP_SENT, "");
    return true;
}

/* What was just read becomes what the pages show. */
static void take_values(struct board *b)
{
    const struct board_params *p = &b->cable.tester.params;
    struct board_module modules[1 + BMU_COUNT_MAX];
    struct fleet_reported reported = { .known = true, .running_hash = param_hash(p->running), .stored_hash = param_hash(p->stored) };
    struct fleet_vehicle vehicle;

    reported.read_at_ms = clock_utc_ms();
    reported.boot = b->cable.assembler.boot;
    board_vehicle(b, &vehicle);
    pthread_mutex_lock(&b->lock);
    b->values.known = true;
    b->values.boot = reported.boot;
    b->values.read_at_ms = reported.read_at_ms;
    memcpy(b->values.running, p->running, sizeof(b->values.running));
    memcpy(b->values.stored, p->stored, sizeof(b->values.stored));
    pthread_mutex_unlock(&b->lock);

    struct fleet_link link = vehicle.link;
    const char *chemistry = chemistry_word(p->running[PARAM_chemistry]);

    snprintf(link.chemistry, sizeof(link.chemistry), "%s", chemistry ? chemistry : "");
    link.module_count = board_params_modules(p, modules);
    for (size_t i = 0; i < link.module_count; i++) {
        snprintf(link.modules[i].name, sizeof(link.modules[i].name), "%.7s", modules[i].name);
        link.modules[i].cells = (uint8_t)modules[i].cells;
        link.modules[i].temps = (uint8_t)modules[i].temps;
    }
    fleet_set_link(b->fleet, b->device, &link, vehicle.link.at_ms, NULL);
    fleet_set_reported(b->fleet, b->device, &reported, NULL);
    board_tell(b, EVENT_PARAMS, NULL);
}

/* Proof of each write: the copy that was to change reads as wanted. Returns how many do not. */
static size_t prove(struct board *b, struct board_op *o)
{
    const struct command_run *run = &b->cable.tester.run;
    bool stored = run->cmd.store;
    size_t wrong = 0;

    pthread_mutex_lock(&b->lock);
    o->op.readback_count = run->cmd.writes;
    for (size_t i = 0; i < run->cmd.writes; i++) {
        const struct command_write *w = &run->cmd.write[i];
        struct op_readback *r = &o->op.readback[i];
        int p = param_by_id((uint16_t)w->id);

        *r = (struct op_readback) { .id = (uint16_t)w->id, .has_wanted = true, .wanted = w->value };
        if (run->has_values && p >= 0) {
            r->has_running = r->has_stored = true;
            r->running = run->params->running[p];
            r->stored = run->params->stored[p];
            r->ok = w->nrc == 0 && r->running == w->value && (!stored || r->stored == w->value);
        }
        wrong += r->ok ? 0 : 1;
    }
    pthread_mutex_unlock(&b->lock);
    return wrong;
}

/* Without samples nothing tells that the board has started anew: read when it has had the time. */
static void read_after_start(struct board *b)
{
    if (cable_has_samples(&b->cable))
        return;
    b->read_wanted = true;
    b->read_after_ms = cable_now_ms() + READ_AGAIN_MS;
}

static void end_op(struct board *b)
{
    const struct tester *t = &b->cable.tester;
    struct board_op *o = b->at_work;
    bool writes = o->op.kind == OP_CALIBRATE || o->op.kind == OP_FLASH;
    size_t wrong = writes ? prove(b, o) : 0;

    if (t->run.has_values && o->op.kind != OP_RESTART)
        take_values(b);
    if (t->end != TESTER_OK)
        change(b, o, OP_FAILED, t->detail);
    else if (wrong > 0)
        change(b, o, OP_FAILED, "not every value reads back as wanted");
    else
        change(b, o, OP_DONE, "");
    if (t->run.has_values)
        b->read_wanted = false;
    if (o->op.kind == OP_RESTART)
        read_after_start(b);
}

/* --- upgrade and simulated failures --- */

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
    read_after_start(b);
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

static bool begin_reading(struct board *b, uint32_t now_ms)
{
    static const struct command reading = { .act = COMMAND_READ };

    if (!b->read_wanted || (int32_t)(now_ms - b->read_after_ms) < 0 || tester_params(&b->cable.tester, &reading) != BMS_ERR_OK)
        return false;
    b->job = BOARD_JOB_READ;
    return true;
}

static void end_reading(struct board *b, uint32_t now_ms)
{
    b->read_wanted = !b->cable.tester.run.has_values;
    b->read_after_ms = now_ms + (b->cable.tester.board_tables ? OTHER_TABLES_MS : READ_AGAIN_MS);
    if (!b->read_wanted)
        take_values(b);
    if (b->cable.tester.board_tables != 0)
        log_warn("cable", "parameters are not shown", "why='%s'", b->cable.tester.detail);
}

void board_begin_work(struct board *b, uint32_t now_ms)
{
    if (!begin_op(b) && !begin_upgrade(b) && !begin_simulation(b, now_ms))
        begin_reading(b, now_ms);
}

void board_end_work(struct board *b, uint32_t now_ms)
{
    enum board_job job = b->job;

    b->job = BOARD_JOB_NONE;
    switch (job) {
    case BOARD_JOB_OP:
        end_op(b);
        break;
    case BOARD_JOB_UPGRADE:
        end_upgrade(b);
        break;
    case BOARD_JOB_SIMULATE:
        end_simulation(b);
        break;
    case BOARD_JOB_READ:
        end_reading(b, now_ms);
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
