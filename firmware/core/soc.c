/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/core/soc.h"

#include "common/err.h"
#include "proto/validity.h"

enum { POINTS = 21, POINT_permyriad = 500, FLAT_mV = 5, OTHER_permyriad = 1000 }; /* a step of 5 % that is lower than FLAT_mV is flat */
#define MAMS_PER_MAH 3600000

/* clang-format off */
static const int16_t ocv_mV[CHEMISTRIES][POINTS] = { /* at rest, 25 degC, 0 % to 100 % in steps of 5 % */
    [CHEMISTRY_NMC]  = { 3000, 3330, 3435, 3500, 3545, 3580, 3607, 3630, 3652, 3677, 3708, 3750, 3795, 3838, 3880, 3925, 3975, 4025, 4070, 4110, 4180 },
    [CHEMISTRY_LFP]  = { 2700, 3070, 3190, 3212, 3236, 3254, 3270, 3280, 3285, 3288, 3290, 3292, 3295, 3303, 3320, 3328, 3330, 3332, 3334, 3337, 3450 },
    [CHEMISTRY_NIMH] = { 1000, 1165, 1195, 1210, 1220, 1227, 1233, 1238, 1243, 1247, 1251, 1255, 1260, 1265, 1271, 1278, 1286, 1296, 1308, 1325, 1360 },
    [CHEMISTRY_SCAP] = {    0,  135,  270,  405,  540,  675,  810,  945, 1080, 1215, 1350, 1485, 1620, 1755, 1890, 2025, 2160, 2295, 2430, 2565, 2700 },
};
/* clang-format on */

int32_t soc_of_ocv(enum chemistry chemistry, int32_t mV)
{
    const int16_t *v = ocv_mV[chemistry];

    if (mV <= v[0])
        return 0;
    for (int i = 1; i < POINTS; i++)
        if (mV < v[i])
            return (i - 1) * POINT_permyriad + (mV - v[i - 1]) * POINT_permyriad / (v[i] - v[i - 1]);
    return (POINTS - 1) * POINT_permyriad;
}

int32_t soc_ocv_mV(enum chemistry chemistry, int32_t permyriad)
{
    const int16_t *v = ocv_mV[chemistry];
    int32_t i = permyriad / POINT_permyriad;

    if (permyriad <= 0)
        return v[0];
    if (i >= POINTS - 1)
        return v[POINTS - 1];
    return v[i] + (v[i + 1] - v[i]) * (permyriad - i * POINT_permyriad) / POINT_permyriad;
}

static bool is_flat(enum chemistry chemistry, int32_t permyriad)
{
    int32_t i = permyriad / POINT_permyriad;

    if (i >= POINTS - 1)
        i = POINTS - 2;
    return ocv_mV[chemistry][i + 1] - ocv_mV[chemistry][i] < FLAT_mV;
}

void soc_init(struct soc *s, enum chemistry chemistry, int32_t capacity_mAh)
{
    *s = (struct soc) { .chemistry = chemistry, .full_mAms = (int64_t)capacity_mAh * MAMS_PER_MAH };
}

void soc_wake(struct soc *s)
{
    s->rested_ms = 0;
}

static void set_from_ocv(struct soc *s, int32_t mean_mV)
{
    s->left_mAms = s->full_mAms / 10000 * soc_of_ocv(s->chemistry, mean_mV);
    s->known = true;
}

static void count(struct soc *s, int32_t mA, uint32_t dt_ms)
{
    s->left_mAms -= (int64_t)mA * (int64_t)dt_ms;
    if (s->left_mAms < 0)
        s->left_mAms = 0;
    if (s->left_mAms > s->full_mAms)
        s->left_mAms = s->full_mAms;
}

void soc_restore(struct soc *s, int64_t left_mAms)
{
    s->left_mAms = left_mAms < 0 ? 0 : left_mAms > s->full_mAms ? s->full_mAms : left_mAms;
    s->known = s->restored = true;
}

static void compare_restored(struct soc *s, int32_t mean_mV)
{
    int32_t ocv = soc_of_ocv(s->chemistry, mean_mV), apart = ocv - soc_permyriad(s);

    s->restored = false;
    if (!is_flat(s->chemistry, ocv) && (apart > OTHER_permyriad || apart < -OTHER_permyriad))
        set_from_ocv(s, mean_mV);
}

void soc_step(struct soc *s, const struct soc_in *in)
{
    bool has_current = scalar_validity(in->current_mA) == VALIDITY_OK;
    bool rests = has_current && in->current_mA <= in->rest_mA && in->current_mA >= -in->rest_mA;

    s->rested_ms = !rests ? 0 : in->dt_ms >= INT32_MAX - s->rested_ms ? INT32_MAX : s->rested_ms + in->dt_ms;
    if (has_current && s->known)
        count(s, in->current_mA, in->dt_ms);
    if (!in->complete)
        return;
    if (s->restored) {
        compare_restored(s, in->mean_mV);
    } else if (!s->known) {
        set_from_ocv(s, in->mean_mV);
    } else if (s->rested_ms >= (uint32_t)in->rest_ms) {
        s->rested_ms = 0; /* once a rest */
        if (!is_flat(s->chemistry, soc_of_ocv(s->chemistry, in->mean_mV)))
            set_from_ocv(s, in->mean_mV);
    }
}

int soc_set(struct soc *s, int32_t permyriad)
{
    if (permyriad < 0 || permyriad > 10000)
        return BMS_ERR_RANGE;
    s->left_mAms = s->full_mAms / 10000 * permyriad;
    s->known = s->calibrated = true;
    s->restored = false;
    s->calibrated_permyriad = permyriad;
    return BMS_ERR_OK;
}

int32_t soc_calibrated(const struct soc *s)
{
    return s->calibrated ? s->calibrated_permyriad : SOC_NOT_SET;
}

int32_t soc_permyriad(const struct soc *s)
{
    if (!s->known)
        return scalar_invalid(VALIDITY_NEVER);
    return (int32_t)(s->left_mAms / (s->full_mAms / 10000));
}

int32_t soc_left_mAh(const struct soc *s)
{
    return s->known ? (int32_t)(s->left_mAms / MAMS_PER_MAH) : scalar_invalid(VALIDITY_NEVER);
}

int32_t soc_left_Wh(const struct soc *s, int32_t cells)
{
    if (!s->known)
        return scalar_invalid(VALIDITY_NEVER);
    int32_t soc = soc_permyriad(s);
    int64_t area = 0; /* mV permyriad under the curve, from empty to here */

    for (int32_t at = 0; at < soc; at += POINT_permyriad) {
        int32_t width = soc - at < POINT_permyriad ? soc - at : POINT_permyriad;

        area += (int64_t)(soc_ocv_mV(s->chemistry, at) + soc_ocv_mV(s->chemistry, at + width)) * width / 2;
    }
    return (int32_t)(area * (s->full_mAms / MAMS_PER_MAH) / 10000 * cells / 1000000);
}
