/* SPDX-License-Identifier: Apache-2.0 */
/* profile_generic.c -- a plain cell of each chemistry: what a board assumes until it is told which cell it has (parameter cell_profile).
 *
 * Per 1 Ah, from the curves and resistances of sim/cell.c, which are typical values and no measurement of one make: resistance with two time
 * constants, the same over SOC, with the Arrhenius law of 2,500 K (about 2.2 times at 0 degC). A pack of real cells deserves a profile of its own
 * (tools/fit_profile.py): an OCV curve that is 10 mV off costs 1 point of SOC (NMC) or 10 and more (LFP, NiMH in their flat middle).
 */
#include "firmware/core/estimation/profile.h"

enum { TEMPS = 8 };

/* clang-format off */
#define FLAT(x) { (x),(x),(x),(x),(x),(x),(x),(x),(x),(x),(x),(x),(x),(x),(x),(x),(x),(x),(x),(x),(x) }
#define COLD(x) { FLAT((x) * 6.664f), FLAT((x) * 4.439f), FLAT((x) * 3.050f), FLAT((x) * 2.154f), \
                  FLAT((x) * 1.559f), FLAT(x), FLAT((x) * 0.669f), FLAT((x) * 0.414f) }
#define MID(a, b) (a), ((a) + (b)) / 2 /* the curves come in steps of 5 %, the table has 2.5 % */
#define OCV(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u) \
    { MID(a, b), MID(b, c), MID(c, d), MID(d, e), MID(e, f), MID(f, g), MID(g, h), MID(h, i), MID(i, j), MID(j, k), \
      MID(k, l), MID(l, m), MID(m, n), MID(n, o), MID(o, p), MID(p, q), MID(q, r), MID(r, s), MID(s, t), MID(t, u), (u) }
#define ALWAYS(...) { __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__ }

static const float temp_degC[TEMPS] = { -30.0f, -20.0f, -10.0f, 0.0f, 10.0f, 25.0f, 40.0f, 60.0f };
static const float none[TEMPS][EST_SOC_R] = { { 0.0f } };

static const float nmc_ocv_V[TEMPS][EST_SOC_OCV] = ALWAYS(OCV(
    3.000f, 3.350f, 3.450f, 3.500f, 3.540f, 3.570f, 3.595f, 3.615f, 3.635f, 3.655f, 3.680f,
    3.715f, 3.760f, 3.805f, 3.855f, 3.905f, 3.955f, 4.005f, 4.055f, 4.105f, 4.165f));
static const float nmc_r0_ohm[TEMPS][EST_SOC_R] = COLD(0.055f);
static const float nmc_r1_ohm[TEMPS][EST_SOC_R] = COLD(0.020f);
static const float nmc_r3_ohm[TEMPS][EST_SOC_R] = COLD(0.025f);
static const float nmc_hysteresis_V[EST_SOC_R] = FLAT(0.004f);

static const float lfp_ocv_V[TEMPS][EST_SOC_OCV] = ALWAYS(OCV(
    2.600f, 3.020f, 3.130f, 3.190f, 3.215f, 3.245f, 3.262f, 3.275f, 3.283f, 3.288f, 3.291f,
    3.294f, 3.300f, 3.312f, 3.325f, 3.330f, 3.333f, 3.335f, 3.337f, 3.345f, 3.450f));
static const float lfp_r0_ohm[TEMPS][EST_SOC_R] = COLD(0.050f);
static const float lfp_r1_ohm[TEMPS][EST_SOC_R] = COLD(0.018f);
static const float lfp_r3_ohm[TEMPS][EST_SOC_R] = COLD(0.022f);
static const float lfp_hysteresis_V[EST_SOC_R] = FLAT(0.015f);

static const float nimh_ocv_V[TEMPS][EST_SOC_OCV] = ALWAYS(OCV(
    1.050f, 1.180f, 1.220f, 1.240f, 1.255f, 1.265f, 1.272f, 1.278f, 1.284f, 1.290f, 1.295f,
    1.300f, 1.305f, 1.310f, 1.316f, 1.322f, 1.330f, 1.340f, 1.352f, 1.368f, 1.400f));
static const float nimh_r0_ohm[TEMPS][EST_SOC_R] = COLD(0.014f);
static const float nimh_r1_ohm[TEMPS][EST_SOC_R] = COLD(0.006f);
static const float nimh_r3_ohm[TEMPS][EST_SOC_R] = COLD(0.008f);
static const float nimh_hysteresis_V[EST_SOC_R] = FLAT(0.020f);

static const float scap_ocv_V[TEMPS][EST_SOC_OCV] = ALWAYS(OCV( /* a capacitor: voltage is charge */
    0.000f, 0.135f, 0.270f, 0.405f, 0.540f, 0.675f, 0.810f, 0.945f, 1.080f, 1.215f, 1.350f,
    1.485f, 1.620f, 1.755f, 1.890f, 2.025f, 2.160f, 2.295f, 2.430f, 2.565f, 2.700f));
static const float scap_r0_ohm[TEMPS][EST_SOC_R] = COLD(0.0004f);
static const float scap_r1_ohm[TEMPS][EST_SOC_R] = COLD(0.0001f);
static const float scap_r3_ohm[TEMPS][EST_SOC_R] = COLD(0.0001f);
static const float scap_hysteresis_V[EST_SOC_R] = FLAT(0.000f);

/* white_V, white_share, slow_V, slow_share, slow_cold_V, slow_s, bias_C, scale, scale_walk, count_share, bound_floor, bound_sigmas */
#define GENERIC(type, id, t1_s, t2_s, t3_s, fold, most, heat, ...)                                                                         \
    const struct est_profile est_profile_##type = { .name = id, .capacity_Ah = 1.0f, .temps = TEMPS, .temp_degC = temp_degC,          \
        .ocv_V = &type##_ocv_V[0][0], .r0_ohm = &type##_r0_ohm[0][0], .a_V = &none[0][0],                                             \
        .rc_ohm = { &type##_r1_ohm[0][0], &none[0][0], &type##_r3_ohm[0][0] }, .tau_s = { t1_s, t2_s, t3_s },                         \
        .hysteresis_V = type##_hysteresis_V, .gamma = fold, .i0_A = 1.0f, .i0_K = 0.0f, .r_K = 2500.0f, .most_C = most, .drive_C = 0.5f, .heat_J_per_K = heat, .noise = { __VA_ARGS__ } }

GENERIC(nmc,  "nmc",  12.0f, 60.0f,  600.0f, 40.0f, 40.0f, 17.0f, 0.020f, 0.10f, 0.004f, 0.06f, 0.0010f, 300.0f, 0.005f, 0.10f, 0.10f, 0.01f, 0.008f, 1.96f);
GENERIC(lfp,  "lfp",  10.0f, 60.0f,  900.0f, 40.0f, 40.0f, 19.0f, 0.020f, 0.10f, 0.003f, 0.06f, 0.0010f, 300.0f, 0.005f, 0.10f, 0.10f, 0.01f, 0.008f, 1.96f);
GENERIC(nimh, "nimh",  8.0f, 60.0f, 1200.0f, 40.0f, 40.0f, 25.0f, 0.020f, 0.10f, 0.004f, 0.06f, 0.0010f, 300.0f, 0.005f, 0.10f, 0.10f, 0.02f, 0.008f, 1.96f);
GENERIC(scap, "scap",  1.0f, 10.0f,   60.0f, 40.0f, 600.0f, 200.0f, 0.010f, 0.10f, 0.004f, 0.06f, 0.0010f,  60.0f, 0.050f, 0.10f, 0.10f, 0.01f, 0.004f, 1.96f);
/* clang-format on */
