/* SPDX-License-Identifier: Apache-2.0 */
/* board_ops.c -- operations of openapi.yaml on the board: read, calibrate, flash, restart, with the proof of each write. The cable's thread alone. */
#include "local/app/board_private.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "server/clock.h"
#include "server/log.h"

enum { READ_AGAIN_MS = 2000, OTHER_TABLES_MS = 60000 };

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

bool board_begin_op(struct board *b)
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

void board_read_after_start(struct board *b)
{
    if (cable_has_samples(&b->cable))
        return;
    b->read_wanted = true;
    b->read_after_ms = cable_now_ms() + READ_AGAIN_MS;
}

void board_end_op(struct board *b)
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
    if (t->board_tables != 0 || t->run.has_values)
        board_other_seen(b, t->board_tables);
    if (o->op.kind == OP_RESTART)
        board_read_after_start(b);
}

bool board_begin_reading(struct board *b, uint32_t now_ms)
{
    static const struct command reading = { .act = COMMAND_READ };

    if (!b->read_wanted || (int32_t)(now_ms - b->read_after_ms) < 0 || tester_params(&b->cable.tester, &reading) != BMS_ERR_OK)
        return false;
    b->job = BOARD_JOB_READ;
    return true;
}

void board_end_reading(struct board *b, uint32_t now_ms)
{
    b->read_wanted = !b->cable.tester.run.has_values;
    b->read_after_ms = now_ms + (b->cable.tester.board_tables ? OTHER_TABLES_MS : READ_AGAIN_MS);
    if (!b->read_wanted)
        take_values(b);
    if (b->cable.tester.board_tables != 0 || b->cable.tester.run.has_values)
        board_other_seen(b, b->cable.tester.board_tables);
    if (b->cable.tester.board_tables != 0)
        log_warn("cable", "parameters are not shown", "why='%s'", b->cable.tester.detail);
}
