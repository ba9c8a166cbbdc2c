/* SPDX-License-Identifier: Apache-2.0 */
/* api_health.c -- health, readiness, metrics, and the catalogue of signals, parameters and alarms. */
#include "server/api/api_parts.h"
#include "server/metrics.h"

#include <stdlib.h>
#include <string.h>

void api_healthz(struct http_exchange *ex)
{
    ex->status = 200;
    jsonw_object(&ex->out);
    jsonw_member_str(&ex->out, "status", "ok");
    jsonw_object_end(&ex->out);
}

/* Ready: this worker reached the database, the administrator can sign in, and ingest, where it has a role here, is connected to the broker. */
void api_readyz(struct http_exchange *ex)
{
    const struct config *config = api_of(ex)->parts.config;
    bool ingest = (config->role & ROLE_INGEST) != 0;
    bool database = db_exec(ex->db, "SELECT 1") == 0;
    bool broker = !ingest || (metrics_get(METRIC_MQTT_UP) == 1 && (!config->lane || metrics_get(METRIC_LANE_UP) == 1));

    bool signable = !auth_admin_is_due(api_of(ex)->auth);

    if (!database || !broker || !signable) {
        http_problem(ex, 503,
                     !database ? "database_away"
                     : !broker ? "broker_away"
                               : "starting",
                     NULL,
                     !database ? "the database does not answer"
                     : !broker ? "the broker is not connected"
                               : "the administrator is being set up");
        return;
    }
    ex->status = 200;
    jsonw_object(&ex->out);
    jsonw_member_str(&ex->out, "status", "ready");
    jsonw_object_end(&ex->out);
}

void api_metrics(struct http_exchange *ex)
{
    char *text = malloc(METRICS_TEXT_MAX);

    if (text == NULL) {
        http_problem(ex, 503, "no_memory", NULL, "try again");
        return;
    }
    size_t len = metrics_text(text, METRICS_TEXT_MAX, api_of(ex)->parts.config->roles, API_VERSION);

    ex->status = 200;
    ex->content_type = "text/plain; version=0.0.4; charset=utf-8";
    jsonw_raw(&ex->out, text, len < METRICS_TEXT_MAX ? len : METRICS_TEXT_MAX - 1);
    free(text);
}

void api_get_catalogue(struct http_exchange *ex)
{
    catalogue_answer(&api_of(ex)->catalogue, ex);
}
