/* SPDX-License-Identifier: Apache-2.0 */
/* fleet.h -- the newest thing known of each vehicle: its sample, its alarms with their start, its link, what it reported.
 *
 * In memory only, one lock, at most `max` vehicles (more are refused and counted, never grown without end). Filled from the table `latest`
 * at start, then by ingest, State messages and the downlink; in an `api`-only process by polling `latest`. Readers get copies.
 * Times are UTC milliseconds; *_at_ms = 0 means never.
 */
#ifndef SERVER_FLEET_H
#define SERVER_FLEET_H

#include "common/units.h"
#include "proto/sample.h"
#include "proto/topics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VERSION_MAX = 32, MODULE_NAME_MAX = 15, CHEMISTRY_MAX = 15 }; /* characters, without the 0 */

struct fleet_alarm {
    struct sample_alarm alarm; /* as the newest sample has it; for a cleared one, as the last sample had it */
    int64_t since_ms;          /* utc of the first sample that had it, as far as this process saw or alarm_span tells */
};

struct fleet_module {
    char name[MODULE_NAME_MAX + 1]; /* "BIU", "BMU 1" */
    uint8_t cells;
    uint8_t temps;
};

struct fleet_link { /* from State messages; an offline one (the will) changes `online` and `at_ms` alone */
    bool known;     /* a State came in this process's life */
    bool online;
    int64_t at_ms;                 /* when `online` last changed */
    char version[VERSION_MAX + 1]; /* DTU software */
    uint64_t epoch;                /* of the journal */
    uint32_t boot;                 /* of the board, as the DTU saw it at its birth; 0 = not heard yet */
    uint32_t journal_records;
    uint64_t journal_dropped;
    uint64_t board_dropped;
    uint64_t frames_rejected;
    uint64_t records_corrupt;
    char chemistry[CHEMISTRY_MAX + 1];
    struct fleet_module modules[1 + BMU_COUNT_MAX]; /* in pack order */
    size_t module_count;
};

struct fleet_reported { /* what is in param_reported */
    bool known;
    uint32_t running_hash;
    uint32_t stored_hash;
    uint32_t boot;
    int64_t read_at_ms;
};

struct fleet_vehicle {
    char device[DEVICE_NAME_MAX + 1]; /* "<tenant>.<vehicle>" */
    bool has_sample;
    struct sample sample;   /* the newest */
    int64_t received_at_ms; /* when its record came */
    struct fleet_alarm alarms[SAMPLE_ALARMS_MAX];
    size_t alarm_count;
    struct fleet_link link;
    struct fleet_reported reported;
};

struct fleet;

/* NULL when there is no memory. */
struct fleet *fleet_create(size_t max);
void fleet_destroy(struct fleet *fleet);

/* Copy of one vehicle; false when it is not known. */
bool fleet_get(struct fleet *fleet, const char *device, struct fleet_vehicle *out);

/* Call fn for each vehicle, in order of name, under the lock: be quick, take what you need, call nothing of this header. */
typedef void fleet_fn(void *ctx, const struct fleet_vehicle *vehicle);
void fleet_each(struct fleet *fleet, fleet_fn *fn, void *ctx);

size_t fleet_count(struct fleet *fleet);

/* What a new sample changed. */
struct fleet_change {
    bool newer;  /* false: an old sample or no room, nothing changed */
    bool booted; /* another boot number than before */
    struct fleet_alarm opened[SAMPLE_ALARMS_MAX];
    size_t opened_count;
    struct fleet_alarm cleared[SAMPLE_ALARMS_MAX];
    size_t cleared_count;
    struct fleet_vehicle after;
};

/* Offer a sample. Newer is: same boot and greater number, or another boot and a later clock. */
void fleet_offer(struct fleet *fleet, const char *device, const struct sample *sample, int64_t received_at_ms, struct fleet_change *change);

/* Take over a link state; `at_ms` is used when `online` changed. Returns true when the row changed; *after is the row (may be NULL). */
bool fleet_set_link(struct fleet *fleet, const char *device, const struct fleet_link *link, int64_t at_ms, struct fleet_vehicle *after);

/* What param_reported holds now. *after may be NULL. */
bool fleet_set_reported(struct fleet *fleet, const char *device, const struct fleet_reported *reported, struct fleet_vehicle *after);

/* Start of a standing alarm, read from alarm_span after a restart. */
void fleet_set_alarm_since(struct fleet *fleet, const char *device, uint8_t alarm, uint16_t number, int64_t since_ms);

#endif
