/* SPDX-License-Identifier: Apache-2.0 */
/* summary.c -- one pass over each kind of value. The loops over cells and probes have no branch, so that they become vector instructions. */
#include "server/summary.h"

#include <string.h>

static void cells_of(struct summary *s, const struct columns *c)
{
    uint64_t all = 0;
    uint32_t count = 0;
    uint16_t low = UINT16_MAX, high = 0;

    for (uint32_t i = 0; i < c->count; i++) {
        const uint16_t *mV = c->cell_mV[i];
        uint32_t sum = 0; /* 160 * 65,535 fits */

        for (size_t k = 0; k < c->cells; k++) {
            bool valid = mV[k] <= UINT16_MAX - VALIDITY_CODES;
            uint16_t v = valid ? mV[k] : 0, w = valid ? mV[k] : UINT16_MAX;

            low = w < low ? w : low;
            high = v > high ? v : high;
            sum += v;
            count += valid;
        }
        all += sum;
    }
    s->has_cells = count > 0;
    s->cell_min_mV = low;
    s->cell_max_mV = high;
    if (count > 0)
        s->cell_mean_mV = (uint16_t)((all + count / 2) / count);
}

static void temps_of(struct summary *s, const struct columns *c)
{
    int16_t low = INT16_MAX, high = INT16_MIN;

    for (uint32_t i = 0; i < c->count; i++) {
        const int16_t *ddegC = c->temp_ddegC[i];

        for (size_t k = 0; k < c->temps; k++) {
            bool valid = ddegC[k] >= INT16_MIN + VALIDITY_CODES;
            int16_t v = valid ? ddegC[k] : INT16_MIN, w = valid ? ddegC[k] : INT16_MAX;

            low = w < low ? w : low;
            high = v > high ? v : high;
        }
    }
    s->has_temps = low <= high;
    s->temp_min_ddegC = low;
    s->temp_max_ddegC = high;
}

static bool last_of(const struct columns *c, enum sample_scalar which, int32_t *out)
{
    for (uint32_t i = c->count; i > 0; i--) {
        if (scalar_validity(c->scalar[which][i - 1]) != VALIDITY_OK)
            continue;
        *out = c->scalar[which][i - 1];
        return true;
    }
    return false;
}

static void current_of(struct summary *s, const struct columns *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        int32_t mA = c->scalar[SAMPLE_pack_current_mA][i];

        if (scalar_validity(mA) != VALIDITY_OK)
            continue;
        s->current_min_mA = !s->has_current || mA < s->current_min_mA ? mA : s->current_min_mA;
        s->current_max_mA = !s->has_current || mA > s->current_max_mA ? mA : s->current_max_mA;
        s->has_current = true;
    }
}

struct summary summarise(const struct columns *c)
{
    struct summary s;

    memset(&s, 0, sizeof s);
    cells_of(&s, c);
    temps_of(&s, c);
    current_of(&s, c);
    s.has_soc = last_of(c, SAMPLE_soc_permyriad, &s.soc_permyriad);
    s.has_voltage = last_of(c, SAMPLE_pack_voltage_mV, &s.voltage_mV);
    for (uint32_t i = 0; i < c->count; i++)
        for (size_t a = 0; a < c->alarms[i]; a++)
            s.alarm_level = c->alarm[i][a].level > s.alarm_level ? c->alarm[i][a].level : s.alarm_level;
    return s;
}

/* The run that this alarm goes on, or NULL. */
static struct alarm_run *find(struct alarm_run *runs, size_t n, const struct sample_alarm *a, uint32_t no)
{
    for (size_t i = 0; i < n; i++)
        if (runs[i].alarm == a->alarm && runs[i].number == a->number && (runs[i].to_no == no || runs[i].to_no + 1 == no))
            return &runs[i];
    return NULL;
}

size_t alarm_runs(const struct columns *c, struct alarm_run *out, size_t max)
{
    size_t n = 0;

    for (uint32_t i = 0; i < c->count; i++) {
        for (size_t k = 0; k < c->alarms[i]; k++) {
            const struct sample_alarm *a = &c->alarm[i][k];
            int64_t at = (int64_t)c->utc_ms[i];
            uint32_t no = c->first_no + i;
            struct alarm_run *run = find(out, n, a, no);

            if (run) {
                run->to_no = no;
                run->to_ms = at;
                run->level = a->level > run->level ? a->level : run->level;
            } else if (n < max) {
                out[n++] = (struct alarm_run) { a->alarm, a->level, a->number, a->value, no, no, at, at };
            }
        }
    }
    return n;
}
