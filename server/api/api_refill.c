/* SPDX-License-Identifier: Apache-2.0 */
/* api_refill.c -- ask a device by hand for records that are missing, also for those that the jobs find too old. */
#include "server/api/api_input.h"
#include "server/api/api_parts.h"
#include "server/history/refill.h"

#include <stdio.h>

void api_start_refill(struct http_exchange *ex)
{
    struct fleet_vehicle vehicle;
    struct input_problem problem;
    struct input_span span;
    char id[OP_ID_LEN + 1] = "";

    if (!api_vehicle_of(ex, &vehicle))
        return;
    if (input_span(ex->body, ex->body_len, &span, &problem) != 0) {
        http_problem(ex, 400, problem.code, problem.field[0] == '\0' ? NULL : problem.field, problem.detail);
        return;
    }
    int made = ex->db == NULL ? -1
                              : refill_ask(ex->db, vehicle.device, span.from_ms, span.to_ms, ex->user.name,
                                           api_of(ex)->parts.config->op_expiry_s * 1000, id);

    if (made < 0) {
        ex->retry_after_s = 2;
        http_problem(ex, 503, "database_away", NULL, "the database cannot be reached; nothing was sent");
        return;
    }
    if (made > 0)
        snprintf(ex->location, sizeof ex->location, "/api/v1/ops/%s", id);
    ex->status = made > 0 ? 202 : 200;
    jsonw_object(&ex->out);
    jsonw_key(&ex->out, "op");
    if (made > 0)
        jsonw_str(&ex->out, id);
    else
        jsonw_null(&ex->out);
    jsonw_object_end(&ex->out);
}
