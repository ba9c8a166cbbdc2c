/* SPDX-License-Identifier: Apache-2.0 */
/* api_vehicle.c -- one vehicle: facts, the newest frame, its parameters. */
#include "server/api/api_parts.h"
#include "server/api/api_render.h"
#include "server/api/auth_role.h"

#include "proto/tables.h"

#include <stdlib.h>

bool api_vehicle_of(struct http_exchange *ex, struct fleet_vehicle *vehicle)
{
    const char *device = ex->match.param[0];

    if (auth_role_sees(&ex->user, device) && fleet_get(api_of(ex)->parts.fleet, device, vehicle))
        return true;
    http_problem(ex, 404, "no_such_vehicle", NULL, "there is no vehicle with this id");
    return false;
}

void api_get_vehicle(struct http_exchange *ex)
{
    struct fleet_vehicle vehicle;
    struct view_running running;

    if (!api_vehicle_of(ex, &vehicle))
        return;
    api_running_get(api_of(ex)->running, vehicle.device, true, &running);
    struct render_extra extra = { http_utc_ms(), &running };

    ex->status = 200;
    render_vehicle(&ex->out, &vehicle, &extra);
}

static void render_values(struct jsonw *j, const struct param_reported *rows, int count)
{
    jsonw_key(j, "values");
    jsonw_array(j);
    for (int i = 0; i < count; i++) {
        jsonw_object(j);
        jsonw_member_int(j, "id", rows[i].id);
        jsonw_member_opt(j, "running", rows[i].has_running, rows[i].running);
        jsonw_member_opt(j, "stored", rows[i].has_stored, rows[i].stored);
        jsonw_member_opt(j, "desired", rows[i].has_desired, rows[i].desired);
        jsonw_object_end(j);
    }
    jsonw_array_end(j);
}

void api_get_params(struct http_exchange *ex)
{
    struct fleet_vehicle vehicle;
    struct fleet_reported reported;
    struct param_reported *rows = NULL;

    if (!api_vehicle_of(ex, &vehicle))
        return;
    rows = calloc(PARAMS, sizeof *rows);
    int count = rows == NULL ? -1 : params_load(ex->db, vehicle.device, rows, PARAMS, &reported);

    if (count < 0) {
        free(rows);
        http_problem(ex, 503, "database_away", NULL, "the database cannot be reached; try again");
        return;
    }
    ex->status = 200;
    jsonw_object(&ex->out);
    jsonw_member_str(&ex->out, "id", vehicle.device);
    jsonw_member_opt(&ex->out, "running_hash", reported.known, reported.running_hash);
    jsonw_member_opt(&ex->out, "stored_hash", reported.known, reported.stored_hash);
    jsonw_member_opt(&ex->out, "read_at", reported.known, reported.read_at_ms);
    jsonw_member_opt(&ex->out, "boot", reported.known, reported.boot);
    render_values(&ex->out, rows, count);
    jsonw_object_end(&ex->out);
    free(rows);
}
