/* SPDX-License-Identifier: Apache-2.0 */
/* api_health.c -- health, readiness, metrics, and the catalogue of signals, parameters and alarms. */
#include "server/api_parts.h"
#include "server/metrics.h"

#include "common/err.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CATALOGUE_MAX (4u << 20) /* bytes */

static long file_size(FILE *f)
{
    long size = fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;

    return fseek(f, 0, SEEK_SET) == 0 ? size : -1;
}

int api_catalogue_read(struct api_catalogue *catalogue, const char *path)
{
    unsigned char hash[16];
    char text[33];

    if (path[0] == '\0')
        return 0;
    FILE *f = fopen(path, "rb");
    long size = f == NULL ? -1 : file_size(f);

    if (size > 0 && size <= (long)CATALOGUE_MAX)
        catalogue->bytes = malloc((size_t)size);
    if (catalogue->bytes != NULL && fread(catalogue->bytes, 1, (size_t)size, f) == (size_t)size)
        catalogue->len = (size_t)size;
    if (f != NULL)
        fclose(f);
    if (catalogue->len == 0)
        return BMS_ERR_IO;
    crypto_generichash(hash, sizeof hash, (const unsigned char *)catalogue->bytes, catalogue->len, NULL, 0);
    snprintf(catalogue->etag, sizeof catalogue->etag, "\"%s\"", sodium_bin2hex(text, sizeof text, hash, sizeof hash));
    return 0;
}

void api_get_catalogue(struct http_exchange *ex)
{
    const struct api_catalogue *catalogue = &api_of(ex)->catalogue;
    const char *seen = http_header(ex, "If-None-Match");

    if (catalogue->bytes == NULL) {
        http_problem(ex, 503, "no_catalogue", NULL, "the server was started without a catalogue");
        return;
    }
    bool same = seen != NULL && strstr(seen, catalogue->etag) != NULL;

    ex->status = same ? 304 : 200;
    ex->etag = catalogue->etag;
    if (!same)
        jsonw_raw(&ex->out, catalogue->bytes, catalogue->len);
}

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
    bool ingest = (api_of(ex)->parts.config->role & ROLE_INGEST) != 0;
    bool database = db_exec(ex->db, "SELECT 1") == 0;
    bool broker = !ingest || metrics_get(METRIC_MQTT_UP) == 1;

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
