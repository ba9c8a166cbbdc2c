/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/model.h"

#include <string.h>

#include "common/err.h"
#include "firmware/core/biu/biu_io.h"

static const double step_s = WORLD_STEP_MS / 1000.0;
static const double heater_A = 10, heater_cell_V = 3.7; /* heater data sheet: so much at the nominal voltage (heat_current_dA) */
static const double busbar_ohm = 0.00005;               /* for each cell */

enum { KEY_mV = 13400, CHARGER_WAKE_mV = 13500 };

/* clang-format off */
static const struct scenario_row {
    const char *name;
    enum model_phase phase; /* where it starts */
    double soc;             /* and how full */
    double drive_s, rest_s, charge_s; /* at most */
    double empty_soc;       /* driving ends here */
    double full_soc;        /* charging ends here, or when the charger says so */
} scenarios[SCENARIOS] = {
    [SCENARIO_DRIVE]  = { "drive",  MODEL_DRIVE,  0.86, 1e12,  60, 1e12, 0.15, 0.92 },
    [SCENARIO_MIXED]  = { "mixed",  MODEL_DRIVE,  0.62,  900, 120,  900, 0.20, 0.92 },
    [SCENARIO_CHARGE] = { "charge", MODEL_CHARGE, 0.35, 1e12, 600, 1e12, 0.30, 2.00 },
};

static const struct phase_row {
    uint8_t inputs;
    int32_t keyon_mV, charger_wake_mV;
    enum model_phase next;
} phases[MODEL_PHASES] = {
    [MODEL_DRIVE]      = { BIU_INPUT_HIGH | BIU_INPUT_ACC | BIU_INPUT_KEYON, KEY_mV, 0, MODEL_REST_EMPTY },
    [MODEL_REST_EMPTY] = { BIU_INPUT_HIGH, 0, 0, MODEL_CHARGE },
    [MODEL_CHARGE]     = { BIU_INPUT_HIGH | BIU_INPUT_CHARGER, 0, CHARGER_WAKE_mV, MODEL_REST_FULL },
    [MODEL_REST_FULL]  = { BIU_INPUT_HIGH, 0, 0, MODEL_DRIVE },
};
/* clang-format on */

int scenario_by_name(const char *name)
{
    for (int i = 0; i < SCENARIOS; i++) {
        if (strcmp(name, scenarios[i].name) == 0)
            return i;
    }
    return BMS_ERR_UNKNOWN;
}

static void enter(struct model *m, enum model_phase phase)
{
    double rated_A = m->cells.type.capacity_As / 3600;

    m->phase = phase;
    m->phase_s = 0;
    m->drive = (struct drive) { .rated_A = rated_A, .segment = 1 };
    m->charger = (struct charger) { .constant_A = rated_A * 0.4, .constant_V = m->cells.type.max_V, .end_A = rated_A * 0.02 };
}

void model_init(struct model *m, enum scenario scenario, enum chemistry chemistry, double capacity_mAh, int cells, uint64_t seed)
{
    memset(m, 0, sizeof(*m));
    m->scenario = scenario;
    m->noise.state = seed;
    cells_init(&m->cells, chemistry, capacity_mAh, cells, scenarios[scenario].soc, &m->noise);
    enter(m, scenarios[scenario].phase);
}

static bool is_over(const struct model *m, const struct world *w)
{
    const struct scenario_row *s = &scenarios[m->scenario];

    switch (m->phase) {
    case MODEL_DRIVE:
        return m->phase_s >= s->drive_s || cells_soc(&m->cells) <= s->empty_soc || cells_lowest_V(&m->cells) < m->cells.type.min_V;
    case MODEL_CHARGE:
        if (m->phase_s >= s->charge_s || cells_soc(&m->cells) >= s->full_soc)
            return true;
        return m->fast ? m->fast_over : m->charger.full || w->told.charge_over;
    default:
        return m->phase_s >= s->rest_s;
    }
}

/* What flows, given what is closed. */
static double current_of(struct model *m, const struct world *w)
{
    if (m->phase == MODEL_DRIVE && (w->contactors.closed & BIU_RELAY_DISCHARGE))
        return drive_step(&m->drive, &m->noise, w->told.discharge_A, -w->told.charge_A);
    if (m->phase == MODEL_CHARGE && m->fast)
        return m->fast_A;
    if (m->phase == MODEL_CHARGE && (w->contactors.closed & BIU_RELAY_CHARGE))
        return charger_step(&m->charger, cells_highest_V(&m->cells), w->told.charger_on ? w->told.charger_A : 0);
    m->drive.current_A = 0;
    m->charger.current_A = 0;
    return 0;
}

void model_soak(struct model *m, double ambient_C)
{
    cells_soak(&m->cells, ambient_C);
}

/* The charger's voltage is about the pack's; it gives no more than the heater takes. */
static double heater_W(const struct model *m, const struct world *w)
{
    bool fed = m->phase == MODEL_CHARGE && !(w->contactors.closed & BIU_RELAY_CHARGE);
    double gives_A = m->fast ? m->fast_gives_A : w->told.charger_on ? w->told.charger_A : 0;
    double volts = cells_voltage_V(&m->cells), ohm = m->cells.count * heater_cell_V / heater_A;
    double amps = volts / ohm < gives_A ? volts / ohm : gives_A;

    return fed && (w->contactors.closed & BIU_RELAY_HEATING) ? amps * amps * ohm : 0;
}

static void show(const struct model *m, struct world *w)
{
    int cell = 0;

    for (int i = 0; i < m->cells.count; i++)
        world_set_cell(w, i, m->cells.cell[i].terminal_V * 1000);
    for (int chip = 0; chip < w->wiring.chips; chip++) { /* four probes, spread over the cells of the chip */
        int n = w->wiring.chip_cells[chip];

        if (m->cells.steps % 10 == 0) {
            for (int k = 0; k < AFE_TEMPS; k++)
                world_set_probe(w, chip, k, m->cells.cell[cell + k * n / AFE_TEMPS].temp_C);
        }
        w->chain.chip[chip].sense.board_C = m->cells.ambient_C;
        cell += n;
    }
    world_set_pack_V(w, cells_voltage_V(&m->cells) - w->current_A * busbar_ohm * m->cells.count);
}

void model_step(struct model *m, struct world *w)
{
    uint16_t bypass[PACK_CELLS_MAX / 16];

    if (is_over(m, w))
        enter(m, phases[m->phase].next);
    m->phase_s += step_s;
    w->inputs.inputs = phases[m->phase].inputs;
    w->inputs.keyon_mV = phases[m->phase].keyon_mV;
    w->inputs.charger_wake_mV = phases[m->phase].charger_wake_mV;
    if (m->fast)
        w->inputs.inputs &= (uint8_t)~BIU_INPUT_CHARGER; /* CC2 alone asks */
    senses_plug_slow(&w->senses, m->phase == MODEL_CHARGE && !m->fast);
    w->current_A = current_of(m, w);
    afe_chain_bypass(&w->chain, bypass);
    m->cells.heater_W = heater_W(m, w);
    cells_step(&m->cells, w->current_A, bypass);
    show(m, w);
}
