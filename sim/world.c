/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/world.h"

#include <math.h>
#include <string.h>

#include "firmware/core/biu/biu_io.h"

enum { SUPPLY_mV = 13600 };

static const double precharge_keep = 0.905; /* of the difference after 10 ms: 100 ms time constant */
static const double drain_keep = 0.990;     /* 1 s time constant */

void world_init(struct world *w, const struct wiring *wiring, double noise_mV, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    w->wiring = *wiring;
    w->told = (struct world_told) { .discharge_A = INFINITY, .charge_A = INFINITY, .charger_on = true, .charger_A = INFINITY };
    w->probe = (struct probe) { .r25_ohm = 100000, .beta_K = 4250 };
    afe_chain_init(&w->chain, wiring->chips, wiring->chip_cells, seed);
    for (int i = 0; i < wiring->chips; i++)
        w->chain.chip[i].noise_mV = noise_mV;
    w->inputs = (struct input_reading) { .supply_mV = SUPPLY_mV, .inputs = BIU_INPUT_HIGH };
    senses_init(&w->senses);
    senses_read(&w->senses, 0, 0, &w->inputs.sense);
}

static double *pin_of_cell(struct world *w, int i)
{
    int chip = 0;

    while (i >= w->wiring.chip_cells[chip])
        i -= w->wiring.chip_cells[chip++];
    return &w->chain.chip[chip].sense.cell_mV[i];
}

void world_set_cell(struct world *w, int i, double mV)
{
    *pin_of_cell(w, i) = mV;
}

void world_truth(const struct world *w, uint16_t *mV)
{
    int cell = 0;

    for (int chip = 0; chip < w->wiring.chips; chip++) {
        for (int k = 0; k < w->wiring.chip_cells[chip]; k++, cell++) {
            double was_mV = w->chain.chip[chip].was_mV[k];

            mV[cell] = w->hole[cell] ? WORLD_NO_CELL_VALUE : was_mV > 0 ? (uint16_t)lround(was_mV) : 0;
        }
    }
}

void world_set_probe(struct world *w, int chip, int channel, double temp_C)
{
    w->chain.chip[chip].sense.aux_code[channel] = probe_code(&w->probe, temp_C);
}

void world_set_pack_V(struct world *w, double volts)
{
    w->inputs.pack_voltage_mV = (int32_t)lround(volts * 1000);
}

static void move_link(struct world *w)
{
    double pack_V = w->inputs.pack_voltage_mV / 1000.0;

    if (w->contactors.closed & (BIU_RELAY_DISCHARGE | BIU_RELAY_CHARGE))
        w->link_V = pack_V;
    else if (w->contactors.closed & BIU_RELAY_PRECHARGE)
        w->link_V = pack_V + (w->link_V - pack_V) * precharge_keep;
    else
        w->link_V *= drain_keep;
    w->inputs.link_voltage_mV = (int32_t)lround(w->link_V * 1000);
}

void world_step(struct world *w)
{
    contactors_step(&w->contactors, WORLD_STEP_MS);
    afe_chain_step(&w->chain, WORLD_STEP_MS);
    move_link(w);
    senses_step(&w->senses, WORLD_STEP_MS);
    senses_read(&w->senses, w->inputs.pack_voltage_mV / 1000.0, w->current_A, &w->inputs.sense);
}
