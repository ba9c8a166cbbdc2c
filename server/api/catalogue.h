/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue.h -- catalogue.json (signals, parameters, alarms), read once at the start, answered with an ETag. */
#ifndef SERVER_CATALOGUE_H
#define SERVER_CATALOGUE_H

#include "server/http/http.h"

struct catalogue {
    char *bytes; /* NULL: there is none; free() it */
    size_t len;
    char etag[40];
};

/* "" means that there is none. Returns 0 or BMS_ERR_IO. */
int catalogue_read(struct catalogue *catalogue, const char *path);

/* get_catalogue of openapi.yaml. */
void catalogue_answer(const struct catalogue *catalogue, struct http_exchange *ex);

#endif
