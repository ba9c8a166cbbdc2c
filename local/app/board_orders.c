/* SPDX-License-Identifier: Apache-2.0 */
/* board_orders.c -- what the board is to do: noted here from any thread, done by board_ops.c and board_work.c on the cable's. */
#include "local/app/board_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "server/clock.h"

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
