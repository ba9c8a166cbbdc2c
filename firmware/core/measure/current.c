/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/measure/current.h"

#include "common/span.h"
#include "proto/can0.h"
#include "proto/tables.h"
#include "proto/validity.h"

enum { STATUS_FAULT = 1, ROOM_ddegC = 250 };

void current_init(struct current *c)
{
    *c = (struct current) { .mA = scalar_invalid(VALIDITY_NEVER) };
}

void current_age(struct current *c, uint32_t dt_ms, int32_t stale_ms)
{
    c->age_ms = span_to(c->age_ms, dt_ms, CURRENT_AGE_MAX);
    if (c->age_ms >= (uint32_t)stale_ms && scalar_validity(c->mA) == VALIDITY_OK)
        c->mA = scalar_invalid(VALIDITY_STALE);
}

/* To the nearest, a half away from 0; bottom > 0. */
static int64_t rounded(int64_t top, int64_t bottom)
{
    return top / bottom + 2 * (top % bottom) / bottom;
}

static int64_t calibrated(int64_t mA, int32_t sensor_ddegC, const int32_t *p)
{
    int64_t off_ddegC = scalar_validity(sensor_ddegC) == VALIDITY_OK ? (int64_t)sensor_ddegC - ROOM_ddegC : 0;
    int64_t gain_ppm = p[PARAM_current_gain_ppm] + rounded(p[PARAM_current_gain_ppm_per_K] * off_ddegC, 10);
    int64_t offset_mA = p[PARAM_current_offset_mA] + rounded(p[PARAM_current_offset_uA_per_K] * off_ddegC, 10000);

    return mA + rounded(mA * gain_ppm, 1000000) + offset_mA;
}

static void take(struct current *c, int64_t mA)
{
    if (mA > CURRENT_MAX_mA || mA < -CURRENT_MAX_mA) {
        c->faulted++;
        c->mA = scalar_invalid(VALIDITY_IMPLAUSIBLE);
        return;
    }
    c->mA = (int32_t)mA;
    c->age_ms = 0;
}

void current_frame(struct current *c, const struct can_frame *f, const int32_t *params)
{
    if (params[PARAM_current_source] != CURRENT_CSU)
        return;
    bool stuck = c->has_counter && f->data[1] == c->counter;
    int32_t mA = can0_get(f, CAN0_SIG_csu_current_mA);
    bool fault = can0_get(f, CAN0_SIG_csu_status) & STATUS_FAULT;

    c->counter = f->data[1];
    c->has_counter = true;
    if (stuck) {
        c->stuck++;
    } else if (fault) {
        c->faulted++;
        c->mA = scalar_invalid(VALIDITY_IMPLAUSIBLE);
    } else { /* a value that is not valid is far out of the range */
        take(c, calibrated(mA, scalar_invalid(VALIDITY_NOT_FITTED), params));
    }
}

static void give_up(struct current *c, enum validity why)
{
    c->faulted++;
    c->mA = scalar_invalid(why);
}

static void take_hall(struct current *c, const struct sense *s, const int32_t *p)
{
    int64_t uV = s->hall_uV;

    if (scalar_validity(s->hall_uV) != VALIDITY_OK)
        give_up(c, scalar_validity(s->hall_uV));
    else if (uV < CURRENT_HALL_LOW_uV || uV > CURRENT_HALL_HIGH_uV)
        give_up(c, VALIDITY_OPEN);
    else
        take(c, calibrated(rounded((uV - p[PARAM_hall_zero_uV]) * 1000, p[PARAM_hall_uV_per_A]), s->sensor_ddegC, p));
}

static void take_shunt(struct current *c, const struct sense *s, const int32_t *p)
{
    if (scalar_validity(s->shunt_uV) != VALIDITY_OK)
        give_up(c, scalar_validity(s->shunt_uV));
    else
        take(c, calibrated(rounded((int64_t)s->shunt_uV * 1000, p[PARAM_shunt_uohm]), s->sensor_ddegC, p));
}

void current_analog(struct current *c, const struct sense *s, const int32_t *params)
{
    if (params[PARAM_current_source] == CURRENT_HALL)
        take_hall(c, s, params);
    else if (params[PARAM_current_source] == CURRENT_SHUNT)
        take_shunt(c, s, params);
}
