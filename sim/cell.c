/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/cell.h"

#include <math.h>

/* clang-format off */
/* Every 5 % of charge. Typical curves at 25 degC after long rest. */
static const double ocv[CHEMISTRIES][CELL_OCV_POINTS] = {
    [CHEMISTRY_NMC]  = { 3.000, 3.350, 3.450, 3.500, 3.540, 3.570, 3.595, 3.615, 3.635, 3.655, 3.680, 3.715, 3.760, 3.805, 3.855, 3.905, 3.955, 4.005, 4.055, 4.105, 4.165 },
    [CHEMISTRY_LFP]  = { 2.600, 3.020, 3.130, 3.190, 3.215, 3.245, 3.262, 3.275, 3.283, 3.288, 3.291, 3.294, 3.300, 3.312, 3.325, 3.330, 3.333, 3.335, 3.337, 3.345, 3.450 },
    [CHEMISTRY_NIMH] = { 1.050, 1.180, 1.220, 1.240, 1.255, 1.265, 1.272, 1.278, 1.284, 1.290, 1.295, 1.300, 1.305, 1.310, 1.316, 1.322, 1.330, 1.340, 1.352, 1.368, 1.400 },
    [CHEMISTRY_SCAP] = { 0.000, 0.135, 0.270, 0.405, 0.540, 0.675, 0.810, 0.945, 1.080, 1.215, 1.350, 1.485, 1.620, 1.755, 1.890, 2.025, 2.160, 2.295, 2.430, 2.565, 2.700 },
};

/* Resistances of a cell of 1 Ah; they fall with the capacity. */
static const struct chemistry_row {
    double r0_ohm_Ah, r1_ohm_Ah, r2_ohm_Ah; /* times capacity in Ah */
    double tau1_s, tau2_s;
    double hysteresis_V;
    double heat_J_per_K_Ah;
    double min_V, max_V;
} rows[CHEMISTRIES] = {
    [CHEMISTRY_NMC]  = { 0.055, 0.020, 0.025, 12,  600, 0.004,  17, 3.10, 4.15 },
    [CHEMISTRY_LFP]  = { 0.050, 0.018, 0.022, 10,  900, 0.015,  19, 2.90, 3.52 },
    [CHEMISTRY_NIMH] = { 0.014, 0.006, 0.008,  8, 1200, 0.020,  25, 1.08, 1.48 },
    [CHEMISTRY_SCAP] = { 0.0004, 0.0001, 0.0001, 1, 60, 0.000, 200, 1.00, 2.60 },
};
/* clang-format on */

void cell_type_init(struct cell_type *type, enum chemistry chemistry, double capacity_mAh)
{
    const struct chemistry_row *row = &rows[chemistry];
    double capacity_Ah = capacity_mAh / 1000;
    double step_s = CELL_STEP_MS / 1000.0;

    *type = (struct cell_type) {
        .ocv_V = ocv[chemistry],
        .capacity_As = capacity_Ah * 3600,
        .r0_ohm = row->r0_ohm_Ah / capacity_Ah,
        .r1_ohm = row->r1_ohm_Ah / capacity_Ah,
        .r2_ohm = row->r2_ohm_Ah / capacity_Ah,
        .keep1 = exp(-step_s / row->tau1_s),
        .keep2 = exp(-step_s / row->tau2_s),
        .hysteresis_V = row->hysteresis_V,
        .heat_J_per_K = row->heat_J_per_K_Ah * capacity_Ah,
        .min_V = row->min_V,
        .max_V = row->max_V,
    };
}

double cell_ocv_V(const struct cell_type *type, double soc)
{
    double at = soc * (CELL_OCV_POINTS - 1);
    int i = at < 0 ? 0 : (int)at;

    if (i > CELL_OCV_POINTS - 2)
        i = CELL_OCV_POINTS - 2;
    double v = type->ocv_V[i] + (type->ocv_V[i + 1] - type->ocv_V[i]) * (at - i);

    return v > 0 ? v : 0;
}

void cell_step(struct cell *cell, const struct cell_type *type, double current_A)
{
    double charge = current_A * (CELL_STEP_MS / 1000.0) / (type->capacity_As * cell->size);
    double ohm = cell->stiffness * cell->cold;
    double target = current_A > 0 ? -1 : 1;
    double turn = fabs(charge) * 40; /* the other curve is reached after about 5 % of charge */

    cell->soc -= charge;
    cell->hysteresis += (target - cell->hysteresis) * (turn < 1 ? turn : 1);
    cell->v1_V = cell->v1_V * type->keep1 + current_A * type->r1_ohm * ohm * (1 - type->keep1);
    cell->v2_V = cell->v2_V * type->keep2 + current_A * type->r2_ohm * ohm * (1 - type->keep2);
    double drop_V = current_A * type->r0_ohm * ohm + cell->v1_V + cell->v2_V;

    cell->heat_J += fabs(current_A * drop_V) * (CELL_STEP_MS / 1000.0);
    cell->terminal_V = cell_ocv_V(type, cell->soc) + cell->hysteresis * type->hysteresis_V - drop_V;
}

void cell_warm(struct cell *cell, const struct cell_type *type, double flow_W, double dt_s)
{
    cell->temp_C += (cell->heat_J + flow_W * dt_s) / type->heat_J_per_K;
    cell->heat_J = 0;
    cell->cold = exp(2500 * (1 / (cell->temp_C + 273.15) - 1 / 298.15)); /* about 2.5 times at 0 degC */
}
