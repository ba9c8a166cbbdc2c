/* SPDX-License-Identifier: Apache-2.0 */
/* summary.c -- one pass over each kind of value. */
#include "server/summary.h"

#include <string.h>

static void cells_of(struct summary *s, const struct sample *samples, size_t count)
{
    uint64_t sum = 0, n = 0;
    uint16_t low = UINT16_MAX, high = 0;

    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < samples[i].cells; c++) {
            uint16_t mV = samples[i].cell_mV[c];

            if (cell_validity(mV) != VALIDITY_OK)
                continue;
            if (mV < low)
                low = mV;
            if (mV > high)
                high = mV;
            sum += mV;
            n++;
        }
    }
    s->has_cells = n > 0;
    s->cell_min_mV = low;
    s->cell_max_mV = high;
    if (n > 0)
        s->cell_mean_mV = (uint16_t)((sum + n / 2) / n);
}

static void temps_of(struct summary *s, const struct sample *samples, size_t count)
{
    int16_t low = INT16_MAX, high = INT16_MIN;

    for (size_t i = 0; i < count; i++) {
        for (size_t t = 0; t < samples[i].temps; t++) {
            int16_t ddegC = samples[i].temp_ddegC[t];

            if (temp_validity(ddegC) != VALIDITY_OK)
                continue;
            if (ddegC < low)
                low = ddegC;
            if (ddegC > high)
                high = ddegC;
        }
    }
    s->has_temps = low <= high;
    s->temp_min_ddegC = low;
    s->temp_max_ddegC = high;
}

static bool read_scalar(const struct sample *s, enum sample_scalar which, int32_t *out)
{
    if (scalar_validity(s->scalar[which]) != VALIDITY_OK)
        return false;
    *out = s->scalar[which];
    return true;
}

static void scalars_of(struct summary *s, const struct sample *samples, size_t count)
{
    int32_t v = 0;

    for (size_t i = 0; i < count; i++) {
        s->has_soc |= read_scalar(&samples[i], SAMPLE_soc_permyriad, &s->soc_permyriad);
        s->has_voltage |= read_scalar(&samples[i], SAMPLE_pack_voltage_mV, &s->voltage_mV);
        if (read_scalar(&samples[i], SAMPLE_pack_current_mA, &v)) {
            s->current_min_mA = !s->has_current || v < s->current_min_mA ? v : s->current_min_mA;
            s->current_max_mA = !s->has_current || v > s->current_max_mA ? v : s->current_max_mA;
            s->has_current = true;
        }
        for (size_t a = 0; a < samples[i].alarms; a++)
            if (samples[i].alarm[a].level > s->alarm_level)
                s->alarm_level = samples[i].alarm[a].level;
    }
}

struct summary summarise(const struct sample *samples, size_t count)
{
    struct summary s;

    memset(&s, 0, sizeof s);
    cells_of(&s, samples, count);
    temps_of(&s, samples, count);
    scalars_of(&s, samples, count);
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

size_t alarm_runs(const struct sample *samples, size_t count, struct alarm_run *out, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < samples[i].alarms; k++) {
            const struct sample_alarm *a = &samples[i].alarm[k];
            int64_t at = (int64_t)samples[i].utc_ms;
            struct alarm_run *run = find(out, n, a, samples[i].no);

            if (run) {
                run->to_no = samples[i].no;
                run->to_ms = at;
                run->level = a->level > run->level ? a->level : run->level;
            } else if (n < max) {
                out[n++] = (struct alarm_run) { a->alarm, a->level, a->number, a->value, samples[i].no, samples[i].no, at, at };
            }
        }
    }
    return n;
}
