/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/senses.h"

#include <math.h>

#include "proto/validity.h"

static const double hall_zero_V = 2.5, hall_V_per_A = 0.004, shunt_ohm = 0.0001;
static const double inlet_r25_ohm = 10000, inlet_beta_K = 3435;
static const double leak_min_kohm = 1e-3;

enum { ROOM_C = 25, INSULATION_kohm = 2400, OPEN_ohm = 10000000 };

void senses_init(struct senses *s)
{
    *s = (struct senses) { .pos_kohm = INSULATION_kohm,
                           .neg_kohm = INSULATION_kohm,
                           .bridge_kohm = { SENSES_BRIDGE_kohm, SENSES_BRIDGE_kohm },
                           .divider_kohm = { SENSES_DIVIDER_kohm, SENSES_DIVIDER_kohm },
                           .y_uF = 0.4,
                           .pos_share = 0.5,
                           .hvil_closed = true,
                           .inlet_C = { ROOM_C, ROOM_C },
                           .cc_ohm = INFINITY,
                           .cc2_V = 12,
                           .sensor_C = ROOM_C };
}

void senses_plug_slow(struct senses *s, bool in)
{
    s->cc_ohm = in ? 220 : INFINITY;
    s->cp_V = in ? 9 : 0;
    s->cp_share = in ? 0.533 : 0;
}

void senses_step(struct senses *s, double ms)
{
    double pos_mS = 1 / fmax(s->pos_kohm, leak_min_kohm) + 1 / s->divider_kohm[0]; /* per kohm */
    double neg_mS = 1 / fmax(s->neg_kohm, leak_min_kohm) + 1 / s->divider_kohm[1];

    pos_mS += s->bridge & SENSE_BRIDGE_POS ? 1 / s->bridge_kohm[0] : 0;
    neg_mS += s->bridge & SENSE_BRIDGE_NEG ? 1 / s->bridge_kohm[1] : 0;
    double settled = neg_mS / (pos_mS + neg_mS), tau_ms = s->y_uF / (pos_mS + neg_mS); /* uF x kohm = ms */

    s->pos_share = settled + (s->pos_share - settled) * (s->y_uF > 0 ? exp(-ms / tau_ms) : 0);
}

static int32_t nearest(double v)
{
    return (int32_t)lround(v);
}

static int32_t inlet_ohm(double temp_C)
{
    return nearest(inlet_r25_ohm * exp(inlet_beta_K * (1 / (temp_C + 273.15) - 1 / 298.15)));
}

void senses_read(const struct senses *s, double pack_V, double current_A, struct sense *out)
{
    *out = (struct sense) { .cc_ohm = s->cc_ohm < OPEN_ohm ? nearest(s->cc_ohm) : scalar_invalid(VALIDITY_OPEN),
                            .cp_mV = nearest(s->cp_V * 1000),
                            .cp_permille = nearest(s->cp_share * 1000),
                            .cc2_mV = nearest(s->cc2_V * 1000),
                            .hvil = s->hvil_closed,
                            .hall_uV = nearest((hall_zero_V + current_A * hall_V_per_A) * 1e6),
                            .shunt_uV = nearest(current_A * shunt_ohm * 1e6),
                            .sensor_ddegC = nearest(s->sensor_C * 10),
                            .rail_pos_mV = nearest(pack_V * s->pos_share * 1000),
                            .rail_neg_mV = nearest(pack_V * (1 - s->pos_share) * 1000) };
    for (int i = 0; i < SENSE_INLETS; i++)
        out->inlet_ohm[i] = inlet_ohm(s->inlet_C[i]);
    for (int i = 0; i < SENSE_ANALOGS; i++)
        out->analog_mV[i] = nearest(s->analog_V[i] * 1000);
}
