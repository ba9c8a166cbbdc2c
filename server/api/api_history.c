/* SPDX-License-Identifier: Apache-2.0 */
/* api_history.c -- history of a span of one vehicle. */
#include "server/api/api_parts.h"
#include "server/api/history_http.h"
#include "server/history/history_db.h"

#include "common/err.h"

void api_get_history(struct http_exchange *ex)
{
    struct fleet_vehicle vehicle;
    struct history h;

    if (!api_vehicle_of(ex, &vehicle) || !history_http_parse(ex, &h))
        return;
    int err = history_load(&h, ex->db, vehicle.device);

    if (err == BMS_ERR_NOSPACE) {
        http_problem(ex, 400, "span_too_long", "series", "these series can be shown for at most 7 days at once");
    } else if (err != 0) {
        http_problem(ex, 503, "database_away", NULL, "the database cannot be reached; try again");
    } else {
        ex->status = 200;
        history_render(&h, &ex->out);
    }
    history_deinit(&h);
}
