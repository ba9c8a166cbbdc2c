/* SPDX-License-Identifier: Apache-2.0 */
/* fleet.c -- a table sorted by name under one lock; rows are found by bisection and never leave. */
#include "server/api/fleet.h"

#include "server/metrics.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct fleet {
    pthread_mutex_t lock;
    struct fleet_vehicle **rows; /* sorted by device */
    size_t count, max;
};

struct fleet *fleet_create(size_t max)
{
    struct fleet *fleet = calloc(1, sizeof *fleet);

    if (!fleet)
        return NULL;
    fleet->rows = calloc(max, sizeof *fleet->rows);
    if (!fleet->rows) {
        free(fleet);
        return NULL;
    }
    fleet->max = max;
    pthread_mutex_init(&fleet->lock, NULL);
    return fleet;
}

void fleet_destroy(struct fleet *fleet)
{
    if (!fleet)
        return;
    for (size_t i = 0; i < fleet->count; i++)
        free(fleet->rows[i]);
    free(fleet->rows);
    pthread_mutex_destroy(&fleet->lock);
    free(fleet);
}

/* Index of the first row that is not before `device`. */
static size_t place(const struct fleet *fleet, const char *device)
{
    size_t low = 0, high = fleet->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(fleet->rows[mid]->device, device) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct fleet_vehicle *find(const struct fleet *fleet, const char *device)
{
    size_t i = place(fleet, device);

    return i < fleet->count && strcmp(fleet->rows[i]->device, device) == 0 ? fleet->rows[i] : NULL;
}

/* The row, made when missing; NULL when there is no room or the name is too long. */
static struct fleet_vehicle *find_or_add(struct fleet *fleet, const char *device)
{
    struct fleet_vehicle *v = find(fleet, device);

    if (v)
        return v;
    if (fleet->count == fleet->max || strlen(device) > DEVICE_NAME_MAX)
        return NULL;
    v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    memcpy(v->device, device, strlen(device) + 1);
    size_t i = place(fleet, device);

    memmove(&fleet->rows[i + 1], &fleet->rows[i], (fleet->count - i) * sizeof(fleet->rows[0]));
    fleet->rows[i] = v;
    fleet->count++;
    metrics_set(METRIC_VEHICLES, (int64_t)fleet->count);
    return v;
}

bool fleet_get(struct fleet *fleet, const char *device, struct fleet_vehicle *out)
{
    pthread_mutex_lock(&fleet->lock);
    const struct fleet_vehicle *v = find(fleet, device);

    if (v)
        *out = *v;
    pthread_mutex_unlock(&fleet->lock);
    return v != NULL;
}

void fleet_each(struct fleet *fleet, fleet_fn *fn, void *ctx)
{
    pthread_mutex_lock(&fleet->lock);
    for (size_t i = 0; i < fleet->count; i++)
        fn(ctx, fleet->rows[i]);
    pthread_mutex_unlock(&fleet->lock);
}

size_t fleet_count(struct fleet *fleet)
{
    pthread_mutex_lock(&fleet->lock);
    size_t n = fleet->count;

    pthread_mutex_unlock(&fleet->lock);
    return n;
}

static bool is_newer(const struct fleet_vehicle *v, const struct sample *s)
{
    if (!v->has_sample)
        return true;
    return v->sample.boot == s->boot ? s->no > v->sample.no : s->utc_ms > v->sample.utc_ms;
}

static bool is_same_alarm(const struct sample_alarm *a, const struct sample_alarm *b)
{
    return a->alarm == b->alarm && a->number == b->number;
}

static const struct fleet_alarm *among(const struct fleet_alarm *list, size_t n, const struct sample_alarm *a)
{
    for (size_t i = 0; i < n; i++)
        if (is_same_alarm(&list[i].alarm, a))
            return &list[i];
    return NULL;
}

/* Replace v's alarms by those of the sample and tell the difference. */
static void compare_alarms(struct fleet_vehicle *v, const struct sample *s, struct fleet_change *change)
{
    struct fleet_alarm now[SAMPLE_ALARMS_MAX];

    for (size_t i = 0; i < s->alarms; i++) {
        const struct fleet_alarm *before = among(v->alarms, v->alarm_count, &s->alarm[i]);

        now[i].alarm = s->alarm[i];
        now[i].since_ms = before ? before->since_ms : (int64_t)s->utc_ms;
        if (!before)
            change->opened[change->opened_count++] = now[i];
    }
    for (size_t i = 0; i < v->alarm_count; i++)
        if (!among(now, s->alarms, &v->alarms[i].alarm))
            change->cleared[change->cleared_count++] = v->alarms[i];
    memcpy(v->alarms, now, s->alarms * sizeof now[0]);
    v->alarm_count = s->alarms;
}

void fleet_offer(struct fleet *fleet, const char *device, const struct sample *sample, int64_t received_at_ms, struct fleet_change *change)
{
    change->newer = change->booted = false;
    change->opened_count = change->cleared_count = 0;
    pthread_mutex_lock(&fleet->lock);
    struct fleet_vehicle *v = find_or_add(fleet, device);

    if (v && is_newer(v, sample)) {
        change->newer = true;
        change->booted = v->has_sample && v->sample.boot != sample->boot;
        compare_alarms(v, sample, change);
        v->sample = *sample;
        v->received_at_ms = received_at_ms;
        v->has_sample = true;
        change->after = *v;
    }
    pthread_mutex_unlock(&fleet->lock);
}

static bool is_same_module(const struct fleet_module *a, const struct fleet_module *b)
{
    return strcmp(a->name, b->name) == 0 && a->cells == b->cells && a->temps == b->temps;
}

static bool is_same_link(const struct fleet_link *a, const struct fleet_link *b)
{
    bool same = a->known == b->known && a->online == b->online && a->at_ms == b->at_ms && strcmp(a->version, b->version) == 0 &&
                a->epoch == b->epoch && a->boot == b->boot && a->journal_records == b->journal_records &&
                a->journal_dropped == b->journal_dropped && a->board_dropped == b->board_dropped &&
                a->frames_rejected == b->frames_rejected && a->records_corrupt == b->records_corrupt &&
                strcmp(a->chemistry, b->chemistry) == 0 && a->module_count == b->module_count;

    for (size_t i = 0; same && i < a->module_count; i++)
        same = is_same_module(&a->modules[i], &b->modules[i]);
    return same;
}

bool fleet_set_link(struct fleet *fleet, const char *device, const struct fleet_link *link, int64_t at_ms, struct fleet_vehicle *after)
{
    bool changed = false;

    pthread_mutex_lock(&fleet->lock);
    struct fleet_vehicle *v = find_or_add(fleet, device);

    if (v) {
        struct fleet_link next = link->online ? *link : v->link; /* a will knows nothing but its going */

        next.known = true;
        next.online = link->online;
        if (!v->link.known && !link->online && v->has_sample)
            at_ms = v->received_at_ms; /* a retained will, found at our start: it went after its last record */
        next.at_ms = v->link.known && v->link.online == link->online ? v->link.at_ms : at_ms;
        changed = !is_same_link(&next, &v->link);
        v->link = next;
        if (after)
            *after = *v;
    }
    pthread_mutex_unlock(&fleet->lock);
    return changed;
}

bool fleet_set_reported(struct fleet *fleet, const char *device, const struct fleet_reported *reported, struct fleet_vehicle *after)
{
    pthread_mutex_lock(&fleet->lock);
    struct fleet_vehicle *v = find_or_add(fleet, device);

    if (v) {
        v->reported = *reported;
        v->reported.known = true;
        if (after)
            *after = *v;
    }
    pthread_mutex_unlock(&fleet->lock);
    return v != NULL;
}

void fleet_set_alarm_since(struct fleet *fleet, const char *device, uint8_t alarm, uint16_t number, int64_t since_ms)
{
    pthread_mutex_lock(&fleet->lock);
    struct fleet_vehicle *v = find(fleet, device);

    for (size_t i = 0; v && i < v->alarm_count; i++)
        if (v->alarms[i].alarm.alarm == alarm && v->alarms[i].alarm.number == number)
            v->alarms[i].since_ms = since_ms;
    pthread_mutex_unlock(&fleet->lock);
}
