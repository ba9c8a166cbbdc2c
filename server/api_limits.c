/* SPDX-License-Identifier: Apache-2.0 */
/* api_limits.c -- see api_limits.h. */
#include "server/api_limits.h"

#include "proto/tables.h"
#include "server/downlink.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    char device[DEVICE_NAME_MAX + 1];
    struct view_limits limits;
};

struct api_limits {
    pthread_mutex_t lock;
    size_t count, next; /* `next` is overwritten when the table is full */
    struct entry entries[API_LIMITS_VEHICLES];
};

struct api_limits *api_limits_create(void)
{
    struct api_limits *l = calloc(1, sizeof *l);

    if (l != NULL)
        pthread_mutex_init(&l->lock, NULL);
    return l;
}

void api_limits_destroy(struct api_limits *l)
{
    if (l == NULL)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static struct entry *find(struct api_limits *l, const char *device)
{
    for (size_t i = 0; i < l->count; i++) {
        if (strcmp(l->entries[i].device, device) == 0)
            return &l->entries[i];
    }
    return NULL;
}

bool api_limits_get(struct api_limits *l, const char *device, struct view_limits *out)
{
    memset(out, 0, sizeof *out);
    pthread_mutex_lock(&l->lock);
    const struct entry *e = find(l, device);

    if (e != NULL)
        *out = e->limits;
    pthread_mutex_unlock(&l->lock);
    return e != NULL;
}

static void keep(struct api_limits *l, const char *device, const struct view_limits *limits)
{
    pthread_mutex_lock(&l->lock);
    struct entry *e = find(l, device);

    if (e == NULL) {
        e = &l->entries[l->next];
        l->next = (l->next + 1) % API_LIMITS_VEHICLES;
        l->count += l->count < API_LIMITS_VEHICLES;
        snprintf(e->device, sizeof e->device, "%s", device);
    }
    e->limits = *limits;
    pthread_mutex_unlock(&l->lock);
}

void api_limits_load(struct api_limits *l, struct db *db, const char *device)
{
    struct fleet_reported reported;
    struct view_limits limits = { .known = { false } };
    struct param_reported *rows = calloc(PARAMS, sizeof *rows);
    int count = rows == NULL ? -1 : params_load(db, device, rows, PARAMS, &reported);

    for (int i = 0; i < count; i++) {
        int param = param_by_id(rows[i].id);

        for (int a = 0; rows[i].has_running && param >= 0 && a < ALARMS; a++) {
            if ((int)alarm_rows[a].limit != param)
                continue;
            limits.known[a] = true;
            limits.limit[a] = rows[i].running;
        }
    }
    if (count >= 0)
        keep(l, device, &limits);
    free(rows);
}
