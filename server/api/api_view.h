/* SPDX-License-Identifier: Apache-2.0 */
/* api_view.h -- what the console shows of a vehicle that is not in the sample itself: state, extremes, mode, the alarm in words.
 *
 * Pure: a row of the fleet table in, derived facts out. Used by the list, the vehicle page and the event stream alike, so they agree.
 */
#ifndef SERVER_API_VIEW_H
#define SERVER_API_VIEW_H

#include "server/api/fleet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which they ask for attention. */
enum view_state { VIEW_ALARM, VIEW_WARNING, VIEW_OFFLINE, VIEW_OK, VIEW_STATES };

enum { ALARM_TEXT_SIZE = 160 };

/* Between two samples, where the board has not said. A record carries several of them unless somebody looks: that is no property of the vehicle. */
enum { VIEW_PERIOD_MS = 1000 };

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

/* Values of running parameters, as far as the board has reported them. */
struct view_running {
    bool limit_known[64]; /* in the order of alarms.def */
    int32_t limit[64];
    int32_t sample_period_ms; /* 0 = not known */
};

/* One running value; param: index in param_rows, or negative (ignored). */
void view_running_take(struct view_running *running, int param, int32_t value);

/* `running` may be NULL. */
void view_of(const struct fleet_vehicle *vehicle, const struct view_running *running, int64_t now_ms, struct view *view);

const char *view_state_word(enum view_state state);

/* "Cell 47 over-voltage: 4215 mV (limit 4200 mV)". `running` may be NULL. `text[size]` is always terminated. */
void view_alarm_text(const struct sample_alarm *alarm, const struct view_running *running, char *text, size_t size);

/* The alarm's limit; false when it is not known. */
bool view_alarm_limit(const struct sample_alarm *alarm, const struct view_running *running, int32_t *limit);

#endif
