/* SPDX-License-Identifier: Apache-2.0 */
/* api_limits.c -- see api_limits.h. */
#include "server/api_limits.h"

#include "proto/tables.h"
#include "server/downlink.h"
#include "server/http.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    char device[DEVICE_NAME_MAX + 1];
    bool read;
    uint64_t asked_ms;
    struct view_limits limits;
};

struct api_limits {
    struct http_pool *workers;
    pthread_mutex_t lock;
    size_t count, next; /* `next` is overwritten when the table is full */
    struct entry entries[API_LIMITS_VEHICLES];
};

/* What a worker is given. */
struct job {
    struct api_limits *limits;
    char device[DEVICE_NAME_MAX + 1];
};

struct api_limits *api_limits_create(struct http_pool *workers)
{
    struct api_limits *l = calloc(1, sizeof *l);

    if (l == NULL)
        return NULL;
    l->workers = workers;
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

static struct entry *find_or_make(struct api_limits *l, const char *device)
{
    for (size_t i = 0; i < l->count; i++) {
        if (strcmp(l->entries[i].device, device) == 0)
            return &l->entries[i];
    }
    struct entry *e = &l->entries[l->next];

    l->next = (l->next + 1) % API_LIMITS_VEHICLES;
    l->count += l->count < API_LIMITS_VEHICLES;
    memset(e, 0, sizeof *e);
    snprintf(e->device, sizeof e->device, "%s", device);
    return e;
}

static void keep(struct api_limits *l, const char *device, const struct view_limits *limits)
{
    pthread_mutex_lock(&l->lock);
    struct entry *e = find_or_make(l, device);

    e->limits = *limits;
    e->read = true;
    pthread_mutex_unlock(&l->lock);
}

/* The running value of each alarm's limit parameter. */
static void limits_of(const struct param_reported *rows, int count, struct view_limits *limits)
{
    memset(limits, 0, sizeof *limits);
    for (int i = 0; i < count; i++) {
        int param = param_by_id(rows[i].id);

        for (int a = 0; rows[i].has_running && param >= 0 && a < ALARMS; a++) {
            if ((int)alarm_rows[a].limit != param)
                continue;
            limits->known[a] = true;
            limits->limit[a] = rows[i].running;
        }
    }
}

static void read_limits(void *arg, struct db *db)
{
    struct job *job = arg;
    struct fleet_reported reported;
    struct view_limits limits;
    struct param_reported *rows = db == NULL ? NULL : calloc(PARAMS, sizeof *rows);
    int count = rows == NULL ? -1 : params_load(db, job->device, rows, PARAMS, &reported);

    if (count >= 0) {
        limits_of(rows, count, &limits);
        keep(job->limits, job->device, &limits);
    }
    free(rows);
    free(job);
}

void api_limits_refresh(struct api_limits *l, const char *device)
{
    struct job *job = calloc(1, sizeof *job);

    if (job == NULL)
        return;
    job->limits = l;
    snprintf(job->device, sizeof job->device, "%s", device);
    if (!http_pool_submit(l->workers, read_limits, job))
        free(job); /* asked for again by the next who wants to know */
}

void api_limits_get(struct api_limits *l, const char *device, struct view_limits *out)
{
    uint64_t now = http_clock_ms();

    pthread_mutex_lock(&l->lock);
    struct entry *e = find_or_make(l, device);
    bool ask = !e->read && (e->asked_ms == 0 || now - e->asked_ms >= API_LIMITS_AGAIN_MS);

    if (ask)
        e->asked_ms = now;
    *out = e->limits;
    pthread_mutex_unlock(&l->lock);
    if (ask)
        api_limits_refresh(l, device);
}
