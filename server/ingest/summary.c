/* SPDX-License-Identifier: Apache-2.0 */
/* summary.c -- one pass over each kind of value. The loops over cells and probes have no branch, so that they become vector instructions. */
#include "server/ingest/summary.h"

#include "common/cpu.h"

#include <string.h>

struct extremes {
    int32_t low, high, sum, count;
};

CPU_INLINE int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

CPU_INLINE int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* `yes` where the mask is all ones, `no` where it is 0. */
CPU_INLINE int32_t choose(int32_t mask, int32_t yes, int32_t no)
{
    return (mask & yes) | (~mask & no);
}

/* 32 bits and masks throughout: lanes of one width without a condition are what the compiler makes vector instructions of. The sum of 160 cells fits. */
CPU_INLINE struct extremes extremes_of_cells(const uint16_t *mV, size_t n)
{
    int32_t low = INT32_MAX, high = INT32_MIN, sum = 0, count = 0;

    for (size_t k = 0; k < n; k++) {
        int32_t v = mV[k], valid = -(v <= UINT16_MAX - VALIDITY_CODES);

        low = smaller(low, choose(valid, v, INT32_MAX));
        high = larger(high, choose(valid, v, INT32_MIN));
        sum += valid & v;
        count -= valid;
    }
    return (struct extremes) { low, high, sum, count };
}

CPU_INLINE struct extremes extremes_of_temps(const int16_t *ddegC, size_t n)
{
    int32_t low = INT32_MAX, high = INT32_MIN;

    for (size_t k = 0; k < n; k++) {
        int32_t v = ddegC[k], valid = -(v >= INT16_MIN + VALIDITY_CODES);

        low = smaller(low, choose(valid, v, INT32_MAX));
        high = larger(high, choose(valid, v, INT32_MIN));
    }
    return (struct extremes) { .low = low, .high = high };
}

CPU_INLINE void cells_of(struct summary *s, const struct columns *c)
{
    int64_t sum = 0, count = 0;
    int32_t low = INT32_MAX, high = INT32_MIN;

    for (uint32_t i = 0; i < c->count; i++) {
        struct extremes x = extremes_of_cells(c->cell_mV[i], c->cells);

        low = smaller(low, x.low);
        high = larger(high, x.high);
        sum += x.sum;
        count += x.count;
    }
    s->has_cells = count > 0;
    if (!s->has_cells)
        return;
    s->cell_min_mV = (uint16_t)low;
    s->cell_max_mV = (uint16_t)high;
    s->cell_mean_mV = (uint16_t)((sum + count / 2) / count);
}

CPU_INLINE void temps_of(struct summary *s, const struct columns *c)
{
    int32_t low = INT32_MAX, high = INT32_MIN;

    for (uint32_t i = 0; i < c->count; i++) {
        struct extremes x = extremes_of_temps(c->temp_ddegC[i], c->temps);

        low = smaller(low, x.low);
        high = larger(high, x.high);
    }
    s->has_temps = low <= high;
    if (!s->has_temps)
        return;
    s->temp_min_ddegC = (int16_t)low;
    s->temp_max_ddegC = (int16_t)high;
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

CPU_WIDE(static void rows_of_wide(struct summary *s, const struct columns *c))
{
    cells_of(s, c);
    temps_of(s, c);
}

static void rows_of(struct summary *s, const struct columns *c)
{
    cells_of(s, c);
    temps_of(s, c);
}

struct summary summarise(const struct columns *c)
{
    struct summary s;

    memset(&s, 0, sizeof s);
    if (cpu_is_wide())
        rows_of_wide(&s, c);
    else
        rows_of(&s, c);
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
