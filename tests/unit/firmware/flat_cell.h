/* SPDX-License-Identifier: Apache-2.0 */
/* flat_cell.h -- a made-up cell of 2 Ah for tests: round numbers, a slope that the test chooses, the same at each temperature. */
#ifndef TESTS_UNIT_FIRMWARE_FLAT_CELL_H
#define TESTS_UNIT_FIRMWARE_FLAT_CELL_H

#include "firmware/core/estimation/profile.h"

struct flat_cell {
    struct est_profile profile;
    float temp_degC[2];
    float ocv_V[2][EST_SOC_OCV];
    float r0_ohm[2][EST_SOC_R], a_V[2][EST_SOC_R], rc_ohm[EST_BRANCHES][2][EST_SOC_R], hysteresis_V[EST_SOC_R];
};

/* OCV 3.2 V at 0 %, slope_V more at 100 %; -20 degC has twice the resistance of 20 degC. */
static inline void flat_cell_make(struct flat_cell *c, float slope_V, float hysteresis_V)
{
    static const struct est_noise noise = { .white_V = 0.02f,
                                            .white_share = 0.05f,
                                            .slow_V = 0.005f,
                                            .slow_share = 0.05f,
                                            .slow_cold_V = 0.002f,
                                            .slow_s = 600.0f,
                                            .bias_C = 0.02f,
                                            .scale = 0.1f,
                                            .scale_walk = 0.05f,
                                            .count_share = 0.02f,
                                            .bound_floor = 0.004f,
                                            .bound_sigmas = 1.96f };

    *c = (struct flat_cell) { .temp_degC = { -20.0f, 20.0f } };
    for (int t = 0; t < 2; t++) {
        float more = t == 0 ? 2.0f : 1.0f;

        for (int k = 0; k < EST_SOC_OCV; k++)
            c->ocv_V[t][k] = 3.2f + slope_V * (float)k / (float)(EST_SOC_OCV - 1);
        for (int k = 0; k < EST_SOC_R; k++) {
            c->r0_ohm[t][k] = 0.02f * more;
            c->a_V[t][k] = 0.01f * more;
            for (int b = 0; b < EST_BRANCHES; b++)
                c->rc_ohm[b][t][k] = 0.01f * more;
            c->hysteresis_V[k] = hysteresis_V;
        }
    }
    c->profile = (struct est_profile) { .name = "flat",
                                        .capacity_Ah = 2.0f,
                                        .temps = 2,
                                        .temp_degC = c->temp_degC,
                                        .ocv_V = c->ocv_V[0],
                                        .r0_ohm = c->r0_ohm[0],
                                        .a_V = c->a_V[0],
                                        .rc_ohm = { c->rc_ohm[0][0], c->rc_ohm[1][0], c->rc_ohm[2][0] },
                                        .tau_s = { 5.0f, 50.0f, 500.0f },
                                        .hysteresis_V = c->hysteresis_V,
                                        .gamma = 20.0f,
                                        .i0_A = 1.0f,
                                        .i0_K = 0.0f,
                                        .most_C = 40.0f,
                                        .drive_C = 0.5f,
                                        .noise = noise };
}

#endif
