/* SPDX-License-Identifier: Apache-2.0 */
/* api_render.h -- rows of the fleet table as the JSON objects of openapi.yaml. Pure; the hot path of the event stream. */
#ifndef SERVER_API_RENDER_H
#define SERVER_API_RENDER_H

#include "server/api/api_view.h"
#include "server/api/fleet.h"
#include "server/downlink/downlink.h"
#include "server/http/jsonw.h"

/* What is known beside the table's row. */
struct render_extra {
    int64_t now_ms;                     /* UTC */
    const struct view_running *running; /* NULL: not known */
};

/* FleetRow. */
void render_row(struct jsonw *j, const struct fleet_vehicle *vehicle, const struct render_extra *extra);

/* Frame, or null when there is no sample. */
void render_frame(struct jsonw *j, const struct fleet_vehicle *vehicle, const struct render_extra *extra);

/* Alarm. */
void render_alarm(struct jsonw *j, const struct fleet_alarm *alarm, const struct view_running *running);

/* Vehicle. */
void render_vehicle(struct jsonw *j, const struct fleet_vehicle *vehicle, const struct render_extra *extra);

/* Op. */
void render_op(struct jsonw *j, const struct op *op);

#endif
