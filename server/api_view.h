/* SPDX-License-Identifier: Apache-2.0 */
/* api_view.h -- what the console shows of a vehicle that is not in the sample itself: state, extremes, mode, the alarm in words.
 *
 * Pure: a row of the fleet table in, derived facts out. Used by the list, the vehicle page and the event stream alike, so they agree.
 */
#ifndef SERVER_API_VIEW_H
#define SERVER_API_VIEW_H

#include "server/fleet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which they ask for attention. */
enum view_state { VIEW_ALARM, VIEW_WARNING, VIEW_OFFLINE, VIEW_OK, VIEW_STATES };

enum { ALARM_TEXT_SIZE = 160 };

/* How often samples come: the board takes one a second; the DTU sends 10 in a record, 60 when parked, each one while watched or in alarm. */
enum { VIEW_PERIOD_MS = 1000, VIEW_RECORD_MS = 10000, VIEW_PARKED_MS = 60000 };

/* Without a State message the link is guessed from the newest sample: online while it is younger than this. */
enum { VIEW_SILENT_MS = 150000 };

struct view {
    enum view_state state;
    bool online;
    const char *mode; /* "parked", "driving", "charging", "unknown" */
    int64_t period_ms;
    bool has_cells, has_temps; /* at least one valid reading */
    int32_t cell_min_mV, cell_max_mV, cell_mean_mV;
    int32_t temp_min_ddegC, temp_max_ddegC;
    const struct fleet_alarm *worst; /* points into the vehicle; NULL when no alarm stands */
};

/* `watched`: somebody looks at it, so its DTU sends every sample. */
void view_of(const struct fleet_vehicle *vehicle, bool watched, int64_t now_ms, struct view *view);

const char *view_state_word(enum view_state state);

/* Running limits of one vehicle's alarms, in the order of alarms.def. */
struct view_limits {
    bool known[64];
    int32_t limit[64];
};

/* "Cell 47 over-voltage: 4215 mV (limit 4200 mV)". `limits` may be NULL. `text[size]` is always terminated. */
void view_alarm_text(const struct sample_alarm *alarm, const struct view_limits *limits, char *text, size_t size);

/* Index in alarms.def of the alarm's row, or -1; and its limit, when known. */
bool view_alarm_limit(const struct sample_alarm *alarm, const struct view_limits *limits, int32_t *limit);

#endif
