/* SPDX-License-Identifier: Apache-2.0 */
/* api_ops.c -- start an operation on a board, and see how far it is. */
#include "server/api/api_input.h"
#include "server/api/api_parts.h"
#include "server/api/api_render.h"
#include "server/api/auth_role.h"

#include "common/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROBLEMS_MAX = OP_VALUES_MAX + 8, CONFIRM_LEN = 4 };

static void add_problem(struct op_problem *problems, size_t *count, const char *code, const char *field, const char *detail)
{
    struct op_problem *p = &problems[(*count)++];

    snprintf(p->code, sizeof p->code, "%s", code);
    snprintf(p->field, sizeof p->field, "%s", field);
    snprintf(p->detail, sizeof p->detail, "%s", detail);
}

/* What only this door asks for: a flash outlasts a restart, so it is typed for and reasoned. */
static void check_flash(const char *device, const struct input_op *in, struct op_problem *problems, size_t *count)
{
    size_t len = strlen(device);

    if (in->kind != OP_FLASH)
        return;
    if (len < CONFIRM_LEN || strcmp(in->confirm, device + len - CONFIRM_LEN) != 0)
        add_problem(problems, count, "confirm", "confirm", "must be the last 4 characters of the vehicle's id");
    if (in->reason[strspn(in->reason, " \t\r\n")] == '\0')
        add_problem(problems, count, "reason", "reason", "say why, it is kept with the operation");
}

static void answer_problems(struct http_exchange *ex, const struct op_problem *problems, size_t count)
{
    http_problem_open(ex, 422, "values_refused", count > 0 ? problems[0].field : NULL, "nothing was changed; see problems");
    jsonw_key(&ex->out, "problems");
    jsonw_array(&ex->out);
    for (size_t i = 0; i < count; i++) {
        jsonw_object(&ex->out);
        jsonw_member_str(&ex->out, "code", problems[i].code);
        jsonw_member_str(&ex->out, "field", problems[i].field);
        jsonw_member_str(&ex->out, "detail", problems[i].detail);
        jsonw_object_end(&ex->out);
    }
    jsonw_array_end(&ex->out);
    jsonw_object_end(&ex->out);
}

static void start(struct http_exchange *ex, const struct op_request *request, const struct input_op *in, struct op *op,
                  struct op_problem *problems)
{
    size_t more = 0, count = op_check(request, problems, OP_VALUES_MAX);

    count = count > OP_VALUES_MAX ? OP_VALUES_MAX : count;
    check_flash(request->device, in, problems, &count);
    if (count > 0) {
        answer_problems(ex, problems, count);
        return;
    }
    int err = api_of(ex)->parts.downlink == NULL ? BMS_ERR_IO
                                                 : downlink_start(api_of(ex)->parts.downlink, request, op, problems, OP_VALUES_MAX, &more);

    if (err == BMS_ERR_RANGE) {
        answer_problems(ex, problems, more > OP_VALUES_MAX ? OP_VALUES_MAX : more);
    } else if (err == BMS_ERR_UNKNOWN) {
        http_problem(ex, 404, "no_such_vehicle", NULL, "there is no vehicle with this id");
    } else if (err != 0) {
        ex->retry_after_s = 2;
        http_problem(ex, 503, "downlink_away", NULL, "the operation could not be stored; nothing was sent");
    } else {
        ex->status = 202;
        snprintf(ex->location, sizeof ex->location, "/api/v1/ops/%s", op->id);
        render_op(&ex->out, op);
    }
}

/* The rows are too large for a worker's stack. */
struct op_room {
    struct input_op in;
    struct op op;
    struct op_problem problems[PROBLEMS_MAX];
    struct fleet_vehicle vehicle;
};

void api_start_op(struct http_exchange *ex)
{
    struct input_problem problem;
    struct op_room *room = calloc(1, sizeof *room);

    if (room == NULL) {
        http_problem(ex, 503, "no_memory", NULL, "too much is going on; try again");
        return;
    }
    if (!api_vehicle_of(ex, &room->vehicle)) {
        free(room);
        return;
    }
    if (input_op(ex->body, ex->body_len, &room->in, &problem) != 0) {
        http_problem(ex, 400, problem.code, problem.field[0] == '\0' ? NULL : problem.field, problem.detail);
    } else if (room->in.kind != OP_READ && ex->user.access < ACCESS_ENGINEER) {
        http_problem(ex, 403, "role", NULL, "your role may read parameters, not change them");
    } else {
        struct op_request request = { .device = room->vehicle.device,
                                      .kind = room->in.kind,
                                      .values = room->in.values,
                                      .count = room->in.count,
                                      .by = ex->user.name,
                                      .reason = room->in.reason };

        start(ex, &request, &room->in, &room->op, room->problems);
    }
    free(room);
}

void api_get_op(struct http_exchange *ex)
{
    struct op *op = calloc(1, sizeof *op);
    int err = op == NULL ? BMS_ERR_IO : op_load(ex->db, ex->match.param[0], op);

    if (err == BMS_ERR_UNKNOWN || (err == 0 && !auth_role_sees(&ex->user, op->device))) {
        http_problem(ex, 404, "no_such_op", NULL, "there is no operation with this id");
    } else if (err != 0) {
        http_problem(ex, 503, "database_away", NULL, "the database cannot be reached; try again");
    } else {
        ex->status = 200;
        render_op(&ex->out, op);
    }
    free(op);
}
