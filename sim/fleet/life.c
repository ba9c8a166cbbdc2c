/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/fleet/life.h"

#include <math.h>
#include <string.h>

enum { MODE_MIN_S = 120, MODE_MAX_S = 1200, AWAY_MIN_S = 10, AWAY_MAX_S = 120 };

static const double capacity_Ah = 100, drive_A = 90, charge_A = 60, resistance_mOhm = 0.8;

static uint32_t some_s(struct life *l, uint32_t low, uint32_t high)
{
    return (uint32_t)noise_even(&l->noise, low, high);
}

/* How long a network lasts, on average, so that the share without comes true. */
static double online_s(const struct life_config *config)
{
    return (AWAY_MIN_S + AWAY_MAX_S) / 2.0 * (1000.0 / config->offline_permille - 1);
}

static void enter(struct life *l, enum pack_mode mode)
{
    l->mode = mode;
    l->mode_left_s = some_s(l, MODE_MIN_S, MODE_MAX_S);
}

void life_init(struct life *l, const struct life_config *config, uint64_t seed)
{
    static const enum pack_mode first[] = { PACK_MODE_DRIVING, PACK_MODE_DRIVING, PACK_MODE_CHARGING, PACK_MODE_PARKED };

    memset(l, 0, sizeof *l);
    l->config = *config;
    l->noise.state = seed;
    l->radio = noise_even(&l->noise, 0, 1000) >= config->offline_permille;
    l->radio_left_s = config->offline_permille ? some_s(l, 0, l->radio ? (uint32_t)online_s(config) : AWAY_MAX_S) : 0;
    l->charge = noise_even(&l->noise, 0.3, 0.9);
    for (unsigned c = 0; c < PACK_CELLS_MAX; c++)
        l->apart_mV[c] = (int8_t)(noise_normal(&l->noise) * 5);
    enter(l, first[noise_u64(&l->noise) % 4]);
}

static void drive_on(struct life *l)
{
    static const enum pack_mode after[] = {
        [PACK_MODE_DRIVING] = PACK_MODE_CHARGING, [PACK_MODE_CHARGING] = PACK_MODE_PARKED, [PACK_MODE_PARKED] = PACK_MODE_DRIVING
    };

    if (l->mode_left_s > 0)
        l->mode_left_s--;
    else
        enter(l, after[l->mode]);
    if (l->mode == PACK_MODE_DRIVING)
        l->current_A += (noise_even(&l->noise, -0.3, 1) * drive_A - l->current_A) * 0.3;
    else
        l->current_A = l->mode == PACK_MODE_CHARGING ? -charge_A : 0;
    if (l->charge < 0.1 || l->charge > 0.95)
        enter(l, l->charge < 0.1 ? PACK_MODE_CHARGING : PACK_MODE_DRIVING);
}

void life_sample(struct life *l, double dt_s, uint64_t utc_ms, struct sample *out)
{
    drive_on(l);
    l->charge -= l->current_A * dt_s / 3600 / capacity_Ah;
    double mean_mV = 3300 + 800 * l->charge - l->current_A * resistance_mOhm;

    memset(out, 0, sizeof *out);
    out->utc_ms = utc_ms;
    out->boot = l->config.boot;
    out->no = ++l->no;
    out->cells = l->config.cells;
    out->temps = l->config.temps;
    for (unsigned k = 0; k < SAMPLE_SCALARS; k++)
        out->scalar[k] = scalar_invalid(VALIDITY_NOT_FITTED);
    out->scalar[SAMPLE_pack_current_mA] = (int32_t)lround(l->current_A * 10) * 100;
    out->scalar[SAMPLE_pack_voltage_mV] = (int32_t)lround(mean_mV * l->config.cells / 100) * 100;
    out->scalar[SAMPLE_soc_permyriad] = (int32_t)lround(l->charge * 10000);
    out->scalar[SAMPLE_mode] = l->mode;
    for (unsigned c = 0; c < out->cells; c++)
        out->cell_mV[c] = (uint16_t)lround(mean_mV + l->apart_mV[c] + noise_normal(&l->noise));
    for (unsigned t = 0; t < out->temps; t++)
        out->temp_ddegC[t] = (int16_t)(250 + 10 * (t % 3) + lround(noise_normal(&l->noise)));
}

bool life_radio(struct life *l)
{
    if (l->radio_left_s > 0) {
        l->radio_left_s--;
        return l->radio;
    }
    bool always = l->config.offline_permille == 0;

    l->radio = always || !l->radio;
    l->radio_left_s = some_s(l, AWAY_MIN_S, AWAY_MAX_S);
    if (l->radio && !always)
        l->radio_left_s = (uint32_t)(online_s(&l->config) * noise_even(&l->noise, 0.5, 1.5));
    return l->radio;
}
