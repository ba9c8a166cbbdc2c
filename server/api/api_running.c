/* SPDX-License-Identifier: Apache-2.0 */
/* api_running.c -- see api_running.h. */
#include "server/api/api_running.h"

#include "proto/tables.h"
#include "server/downlink/downlink.h"
#include "server/http/http.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    char device[DEVICE_NAME_MAX + 1];
    bool read;
    uint64_t asked_ms;
    struct view_running values;
};

struct api_running {
    struct http_pool *workers;
    pthread_mutex_t lock;
    struct entry entries[API_RUNNING_VEHICLES];
};

/* What a worker is given. */
struct job {
    struct api_running *running;
    char device[DEVICE_NAME_MAX + 1];
};

struct api_running *api_running_create(struct http_pool *workers)
{
    struct api_running *l = calloc(1, sizeof *l);

    if (l == NULL)
        return NULL;
    l->workers = workers;
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

void api_running_destroy(struct api_running *l)
{
    if (l == NULL)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* The vehicle's place; whoever had it before is forgotten. */
static struct entry *place_of(struct api_running *l, const char *device)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (const char *at = device; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    struct entry *e = &l->entries[(hash ^ hash >> 16) % API_RUNNING_VEHICLES];

    if (strcmp(e->device, device) != 0) {
        memset(e, 0, sizeof *e);
        snprintf(e->device, sizeof e->device, "%s", device);
    }
    return e;
}

static void keep(struct api_running *l, const char *device, const struct view_running *values)
{
    pthread_mutex_lock(&l->lock);
    struct entry *e = place_of(l, device);

    e->values = *values;
    e->read = true;
    pthread_mutex_unlock(&l->lock);
}

static void read_vehicle(void *arg, struct db *db)
{
    struct job *job = arg;
    struct fleet_reported reported;
    struct view_running values = { .sample_period_ms = 0 };
    struct param_reported *rows = db == NULL ? NULL : calloc(PARAMS, sizeof *rows);
    int count = rows == NULL ? -1 : params_load(db, job->device, rows, PARAMS, &reported);

    for (int i = 0; i < count; i++) {
        if (rows[i].has_running)
            view_running_take(&values, param_by_id(rows[i].id), rows[i].running);
    }
    if (count >= 0)
        keep(job->running, job->device, &values);
    free(rows);
    free(job);
}

void api_running_refresh(struct api_running *l, const char *device)
{
    struct job *job = calloc(1, sizeof *job);

    if (job == NULL)
        return;
    job->running = l;
    snprintf(job->device, sizeof job->device, "%s", device);
    if (!http_pool_submit(l->workers, read_vehicle, job))
        free(job); /* asked for again by the next who wants to know */
}

void api_running_get(struct api_running *l, const char *device, bool ask, struct view_running *out)
{
    uint64_t now = http_clock_ms();

    pthread_mutex_lock(&l->lock);
    struct entry *e = place_of(l, device);

    ask = ask && !e->read && (e->asked_ms == 0 || now - e->asked_ms >= API_RUNNING_AGAIN_MS);

    if (ask)
        e->asked_ms = now;
    *out = e->values;
    pthread_mutex_unlock(&l->lock);
    if (ask)
        api_running_refresh(l, device);
}
